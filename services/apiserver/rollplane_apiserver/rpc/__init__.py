"""The gRPC door: reads messages, asks the Api, writes messages. It decides nothing about objects."""
