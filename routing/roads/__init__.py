"""A road network on the machine itself, read from an OpenStreetMap extract.

``profiles`` says who may use which street and how fast, ``extract`` reads the file, ``network`` keeps the streets,
``snap`` finds the street nearest to a place, ``fastest`` the fastest ways, and ``travel`` makes travel times of it.

Turn restrictions, traffic lights and the time that turns take are not considered; ferries are not used.
"""
