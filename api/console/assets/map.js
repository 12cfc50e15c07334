// Layers for the map of a day plan. They are drawn from the plan alone, so that a map needs no tile server.
// Texts are set as text, never as HTML: names come from people.
L.fieldwise = {};

const fieldwiseLabel = (text, className) => {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
};

// One rep's round: a line through its points, and its stops as numbers.
const FieldwiseRoute = L.LayerGroup.extend({
  initialize(route) {
    this._line = L.polyline(route.points, { color: route.colour, weight: 4, opacity: 0.85 });
    this._stops = route.stops.map((stop) => {
      const icon = L.divIcon({
        className: "fw-stop",
        iconSize: [24, 24],
        html: fieldwiseLabel(String(stop.number), "fw-stop-number"),
      });
      icon.options.html.style.background = route.colour;
      return L.marker([stop.latitude, stop.longitude], { icon, alt: stop.label, title: stop.label, keyboard: false });
    });
    const home = L.circleMarker(route.points[0], {
      radius: 6,
      color: route.colour,
      weight: 3,
      fillColor: "#fff",
      fillOpacity: 1,
    }).bindTooltip(fieldwiseLabel(route.start, ""));
    L.LayerGroup.prototype.initialize.call(this, [this._line, home, ...this._stops]);
  },
  // Takes the round back behind the others, or forward again.
  fade(faded) {
    this._line.setStyle({ opacity: faded ? 0.12 : 0.85 });
    this._stops.forEach((stop) => {
      stop.setOpacity(faded ? 0.15 : 1);
      stop.setZIndexOffset(faded ? -1000 : 0);
    });
  },
});
L.fieldwise.route = (route) => new FieldwiseRoute(route);

// A named place: a region's centre or a warehouse.
L.fieldwise.place = (place) => {
  const icon = L.divIcon({ className: `fw-place fw-place-${place.kind}`, iconSize: null, html: fieldwiseLabel(place.label, "") });
  return L.marker([place.latitude, place.longitude], { icon, interactive: false, keyboard: false, zIndexOffset: -2000 });
};

// Says where the streets come from, in the corner of the map.
L.fieldwise.credit = (text) => {
  const layer = L.layerGroup();
  layer.getAttribution = () => text;
  return layer;
};

// Moves the map so that all points are seen.
L.fieldwise.fit = (points) => {
  const layer = L.layerGroup();
  layer.onAdd = (map) => map.fitBounds(L.latLngBounds(points).pad(0.06), { animate: false });
  return layer;
};

// Lines of latitude and longitude, as far apart as the zoom allows.
const FieldwiseGraticule = L.LayerGroup.extend({
  onAdd(map) {
    this._map = map;
    map.on("moveend", this._draw, this);
    this._draw();
  },
  onRemove(map) {
    map.off("moveend", this._draw, this);
    this.clearLayers();
  },
  _draw() {
    this.clearLayers();
    const bounds = this._map.getBounds().pad(0.2);
    const span = bounds.getEast() - bounds.getWest();
    const step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20].find((size) => span / size < 12) ?? 45;
    const digits = step < 0.01 ? 3 : step < 0.1 ? 2 : step < 1 ? 1 : 0;
    const style = { color: "#9fb0ab", weight: 1, opacity: 0.45, interactive: false };
    for (let at = Math.ceil(bounds.getSouth() / step) * step; at < bounds.getNorth(); at += step) {
      this._line([[at, bounds.getWest()], [at, bounds.getEast()]], style);
      this._mark(at, this._map.getBounds().getWest(), `${Math.abs(at).toFixed(digits)}°${at < 0 ? "S" : "N"}`, "west");
    }
    for (let at = Math.ceil(bounds.getWest() / step) * step; at < bounds.getEast(); at += step) {
      this._line([[bounds.getSouth(), at], [bounds.getNorth(), at]], style);
      this._mark(this._map.getBounds().getNorth(), at, `${Math.abs(at).toFixed(digits)}°${at < 0 ? "W" : "E"}`, "north");
    }
  },
  _line(points, style) {
    this.addLayer(L.polyline(points, style));
  },
  _mark(latitude, longitude, text, side) {
    const at = this._map.latLngToContainerPoint([latitude, longitude]);
    if (side === "west" ? at.y < 40 : at.x < 0) return; // the corner would hold two
    const icon = L.divIcon({ className: `fw-degree fw-degree-${side}`, iconSize: null, html: fieldwiseLabel(text, "") });
    this.addLayer(L.marker([latitude, longitude], { icon, interactive: false, keyboard: false }));
  },
});
L.fieldwise.graticule = () => new FieldwiseGraticule();
