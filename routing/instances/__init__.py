"""Published instances of vehicle routing: reading the files, and measuring the product's own engine on them.

``solomon`` and ``vrplib`` read files into a :class:`~routing.instances.plain.PlainInstance`, ``model`` turns that into
a day problem, ``bench`` solves folders of them.
"""
