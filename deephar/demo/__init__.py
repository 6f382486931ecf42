"""A page on which networks look at a picture, a clip or the webcam; `demo-app`.

decoding   a process that reads what was uploaded, and may be killed for it
uploads    what was uploaded: frames as JPEGs, and what was seen in them
looking    the networks, cut at any block, and how they look at an upload
jobs       one upload after the other, in a queue that is bounded
streams    frames of webcams, as they come
guard      who may ask, and what browsers are told to forbid
app        the addresses;  static/: the page
"""
