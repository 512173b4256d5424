"""The API's dataclasses and errors as protobuf messages and back: pure, shared by the server and the client."""
