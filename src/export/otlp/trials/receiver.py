#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: Apache-2.0
"""A receiver of OTLP/HTTP that knows the whole protocol, from its own description.

    receiver.py PORT DIRECTORY [--ids] [--forward URL]

Writes what it got as lines of JSON to logs, metrics and spans below the directory, flushed before it
answers; with --ids the ids of log records alone. Metrics are also handed on to the URL.
"""

import argparse
import gzip
import json
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest, ExportLogsServiceResponse)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest, ExportMetricsServiceResponse)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest, ExportTraceServiceResponse)


def value_of(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(item) for item in value.array_value.values]
    return getattr(value, kind) if kind else None


def attributes_of(attributes):
    keys = [attribute.key for attribute in attributes]
    assert len(set(keys)) == len(keys), f"twice the same key: {keys}"
    return {attribute.key: value_of(attribute.value) for attribute in attributes}


def id_of(log):
    """Of a record; a story that is told again has its id again."""
    attributes = log["attributes"]
    return f"{attributes['log.record.uid']} {attributes.get('tapio.story.revision', '')}"


def logs_of(request):
    for of_resource in request.resource_logs:
        resource = attributes_of(of_resource.resource.attributes)
        for of_scope in of_resource.scope_logs:
            for log in of_scope.log_records:
                yield {"resource": resource, "scope": of_scope.scope.name,
                       "time": log.time_unix_nano, "observed": log.observed_time_unix_nano,
                       "severity": log.severity_number, "severity_text": log.severity_text,
                       "body": value_of(log.body), "attributes": attributes_of(log.attributes),
                       "trace": log.trace_id.hex(), "span": log.span_id.hex()}


def spans_of(request):
    for of_resource in request.resource_spans:
        for of_scope in of_resource.scope_spans:
            for span in of_scope.spans:
                yield {"trace": span.trace_id.hex(), "span": span.span_id.hex(), "name": span.name,
                       "start": span.start_time_unix_nano, "end": span.end_time_unix_nano,
                       "status": span.status.code, "attributes": attributes_of(span.attributes),
                       "events": [[event.time_unix_nano, event.name] for event in span.events]}


def metrics_of(request):
    for of_resource in request.resource_metrics:
        for of_scope in of_resource.scope_metrics:
            for metric in of_scope.metrics:
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points:
                    yield {"name": metric.name, "unit": metric.unit, "kind": kind,
                           "start": point.start_time_unix_nano, "time": point.time_unix_nano,
                           "value": getattr(point, point.WhichOneof("value")),
                           "attributes": attributes_of(point.attributes)}


KINDS = {
    "/v1/logs": ("logs", ExportLogsServiceRequest, ExportLogsServiceResponse, logs_of),
    "/v1/metrics": ("metrics", ExportMetricsServiceRequest, ExportMetricsServiceResponse, metrics_of),
    "/v1/traces": ("spans", ExportTraceServiceRequest, ExportTraceServiceResponse, spans_of),
}


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            answer = self.take(KINDS[self.path], body)
        except Exception as wrong:  # whatever it is, the sender is to hear of it
            self.say(400, str(wrong).encode())
            raise
        self.say(200, answer.SerializeToString())

    def take(self, kind, body):
        name, request_type, answer_type, lines_of = kind
        assert self.headers["Content-Type"] == "application/x-protobuf", self.headers
        packed = self.headers.get("Content-Encoding") == "gzip"
        request = request_type.FromString(gzip.decompress(body) if packed else body)
        if self.server.ids:
            lines = [id_of(line) for line in lines_of(request)] if name == "logs" else []
        else:
            lines = [json.dumps(line) for line in lines_of(request)]
        with self.server.lock, open(self.server.directory / name, "a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        if name == "metrics" and self.server.forward:
            on = urllib.request.Request(self.server.forward, data=body, method="POST", headers={
                key: self.headers[key] for key in ("Content-Type", "Content-Encoding")
                if self.headers[key]})
            urllib.request.urlopen(on, timeout=5).read()
        return answer_type()

    def say(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except BrokenPipeError:
            pass  # the sender did not want to wait any longer

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--ids", action="store_true")
    parser.add_argument("--forward")
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Receiver)
    server.lock = Lock()
    server.directory, server.ids, server.forward = options.directory, options.ids, options.forward
    server.serve_forever()


if __name__ == "__main__":
    main()
