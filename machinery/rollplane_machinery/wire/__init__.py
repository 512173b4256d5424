"""The API's dataclasses and errors as protobuf messages and back: pure, shared by the server and the client.

``encode_*`` makes messages, ``decode_*`` reads them; decoding what was encoded gives the same value again. Objects are
passed on as bytes, unparsed. Whatever came from outside may be anything: ``decode_*`` of a request raises
BadRequestError (NotFoundError for an unknown resource), ``encode_*`` raises BadRequestError for a value that no message
can hold, such as a number beyond its field's width.
"""
