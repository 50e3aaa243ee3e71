# Wingmirror · Apache-2.0
"""Reads an exposition from standard input with readers that are not Wingmirror's, and prints what it says as JSON.

Arguments: a format (text, openmetrics, protobuf), or --check to see whether the readers are there.
"""

import json
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, unknown_fields
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.utils import floatToGoString

MESSAGES = {
    "Timestamp": [("seconds", 1, "int64"), ("nanos", 2, "int32")],
    "LabelPair": [("name", 1, "string"), ("value", 2, "string")],
    "Exemplar": [("label", 1, "*LabelPair"), ("value", 2, "double"), ("timestamp", 3, "Timestamp")],
    "Gauge": [("value", 1, "double")],
    "Counter": [("value", 1, "double"), ("exemplar", 2, "Exemplar"), ("start", 3, "Timestamp")],
    "BucketSpan": [("offset", 1, "sint32"), ("length", 2, "uint32")],
    "Bucket": [
        ("cumulative_count", 1, "uint64"),
        ("upper_bound", 2, "double"),
        ("exemplar", 3, "Exemplar"),
        ("cumulative_count_float", 4, "double"),
    ],
    "Histogram": [
        ("sample_count", 1, "uint64"),
        ("sample_sum", 2, "double"),
        ("bucket", 3, "*Bucket"),
        ("sample_count_float", 4, "double"),
        ("schema", 5, "sint32"),
        ("zero_threshold", 6, "double"),
        ("zero_count", 7, "uint64"),
        ("zero_count_float", 8, "double"),
        ("negative_span", 9, "*BucketSpan"),
        ("negative_delta", 10, "*sint64"),
        ("negative_count", 11, "*double"),
        ("positive_span", 12, "*BucketSpan"),
        ("positive_delta", 13, "*sint64"),
        ("positive_count", 14, "*double"),
        ("start", 15, "Timestamp"),
        ("exemplars", 16, "*Exemplar"),
    ],
    "Metric": [
        ("label", 1, "*LabelPair"),
        ("gauge", 2, "Gauge"),
        ("counter", 3, "Counter"),
        ("timestamp_ms", 6, "int64"),
        ("histogram", 7, "Histogram"),
    ],
    "MetricFamily": [
        ("name", 1, "string"),
        ("help", 2, "string"),
        ("type", 3, "int32"),
        ("metric", 4, "*Metric"),
        ("unit", 5, "string"),
    ],
}
SCALARS = {
    "double": 1, "int64": 3, "uint64": 4, "int32": 5, "string": 9, "uint32": 13, "sint32": 17, "sint64": 18,
}  # fmt: skip
TYPES = {0: "counter", 1: "gauge", 4: "histogram"}


def message_classes():
    """The messages of Prometheus's client model, which is proto2, made here and now."""
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package="io.prometheus.client", syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            repeated, kind = kind.startswith("*"), kind.lstrip("*")
            added = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if kind in SCALARS:
                added.type = SCALARS[kind]
            else:
                added.type, added.type_name = 11, ".io.prometheus.client." + kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("io.prometheus.client.MetricFamily"))


def varint(octets, start):
    number = shift = 0
    while True:
        octet = octets[start]
        number |= (octet & 0x7F) << shift
        shift, start = shift + 7, start + 1
        if octet < 0x80:
            return number, start


def check_known(message):
    """Fails on any field that the schema does not have, at any depth."""
    assert not len(unknown_fields.UnknownFieldSet(message)), message
    for descriptor, value in message.ListFields():
        if descriptor.message_type:
            for part in value if descriptor.is_repeated else [value]:
                check_known(part)


def seconds(timestamp):
    assert 0 <= timestamp.nanos < 1_000_000_000
    return timestamp.seconds + timestamp.nanos / 1e9


def exemplar_record(exemplar):
    return {
        "labels": {label.name: label.value for label in exemplar.label},
        "value": exemplar.value,
        "time": seconds(exemplar.timestamp),
    }


def native_record(histogram):
    """The native buckets by index, with what a reader would refuse."""
    spans, deltas = histogram.positive_span, histogram.positive_delta
    assert sum(span.length for span in spans) == len(deltas)
    assert spans, "a native histogram has a span, if only one that means nothing"
    buckets, index, count, place = {}, 0, 0, 0
    for number, span in enumerate(spans):
        assert number == 0 or span.offset >= 0
        index += span.offset
        for _ in range(span.length):
            count += deltas[place]
            assert count >= 0
            if count:
                buckets[index] = count
            place, index = place + 1, index + 1
    assert sum(buckets.values()) + histogram.zero_count == histogram.sample_count
    return {
        "schema": histogram.schema,
        "zeroThreshold": histogram.zero_threshold,
        "zeroCount": histogram.zero_count,
        "buckets": {str(index): count for index, count in buckets.items()},
        "spans": [[span.offset, span.length] for span in spans],
        "exemplars": [exemplar_record(exemplar) for exemplar in histogram.exemplars],
    }


def sample(name, labels, value, exemplar=None):
    record = {"name": name, "labels": labels, "value": floatToGoString(value)}
    if exemplar:
        record["exemplar"] = exemplar
    return record


def read_protobuf(octets):
    families, start, family_class = [], 0, message_classes()
    while start < len(octets):
        length, start = varint(octets, start)
        part = octets[start : start + length]
        assert len(part) == length
        family = family_class.FromString(part)
        check_known(family)
        # Read and written again it must be the same: canonical varints, fields in order, nothing twice.
        assert family.SerializeToString(deterministic=True) == part
        start += length
        families.append(family_record(family))
    return families


def family_record(family):
    name, samples, natives, starts = family.name, [], [], []
    for metric in family.metric:
        labels = {label.name: label.value for label in metric.label}
        assert len(labels) == len(metric.label)
        value = {0: metric.counter, 1: metric.gauge, 4: metric.histogram}[family.type]
        if family.type != 1 and value.HasField("start"):
            starts.append({"labels": labels, "time": seconds(value.start)})
        if family.type != 4:
            assert value.HasField("value")
            samples.append(sample(name, labels, value.value))
            continue
        for bucket in value.bucket:
            exemplar = exemplar_record(bucket.exemplar) if bucket.HasField("exemplar") else None
            bound = {**labels, "le": floatToGoString(bucket.upper_bound)}
            samples.append(sample(name + "_bucket", bound, bucket.cumulative_count, exemplar))
        samples.append(sample(name + "_sum", labels, value.sample_sum))
        samples.append(sample(name + "_count", labels, value.sample_count))
        if value.HasField("schema"):
            natives.append({"labels": labels, **native_record(value)})
    return {
        "name": name,
        "type": TYPES[family.type],
        "help": family.help,
        "unit": family.unit,
        "samples": samples,
        "natives": natives,
        "starts": starts,
    }


def read_text(families):
    records = []
    for family in families:
        samples = []
        for found in family.samples:
            exemplar = found.exemplar and {
                "labels": found.exemplar.labels,
                "value": found.exemplar.value,
                "time": float(found.exemplar.timestamp),
            }
            samples.append(sample(found.name, found.labels, found.value, exemplar))
        records.append(
            {
                "name": family.name,
                "type": family.type,
                "help": family.documentation,
                "unit": family.unit,
                "samples": samples,
                "natives": [],
                "starts": [],
            }
        )
    return records


def main():
    if sys.argv[1] == "--check":
        message_classes()
        return
    octets = sys.stdin.buffer.read()
    if sys.argv[1] == "protobuf":
        families = read_protobuf(octets)
    elif sys.argv[1] == "openmetrics":
        families = read_text(openmetrics.text_string_to_metric_families(octets.decode()))
    else:
        families = read_text(text_string_to_metric_families(octets.decode()))
    json.dump(families, sys.stdout)


main()
