"""Makes events.golden with TensorBoard's own messages and its own writer of records.

    python Tests/Fixtures/Reporting/make_events.py

Needs tensorboard (made with 2.21.0). Tests/ReportingTests/EventFileTests.swift writes the same events.
"""

import io
import pathlib

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

Value = summary_pb2.Summary.Value
scalars = [Value(tag="loss", simple_value=0.1), Value(tag="utility/group-0", simple_value=-1.5)]
histogram = Value(
    tag="rewards/group-0",
    histo=summary_pb2.HistogramProto(
        min=-1, max=2, num=5, sum=2.5, sum_squares=7.25, bucket_limit=[-1, 0.5, 2], bucket=[0, 3, 2]
    ),
)
shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=n) for n in (2, 2)])
texts = Value(
    tag="samples",
    tensor=tensor_pb2.TensorProto(
        dtype=types_pb2.DT_STRING, tensor_shape=shape, string_val=[text.encode() for text in ("A", " é.", "B", "x" * 200)]
    ),
    metadata=summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="text"), data_class=summary_pb2.DATA_CLASS_TENSOR
    ),
)
events = [
    event_pb2.Event(wall_time=1.7e9 + 0.25, file_version="brain.Event:2"),
    event_pb2.Event(wall_time=1.7e9 + 0.25, step=1, summary=summary_pb2.Summary(value=scalars)),
    event_pb2.Event(wall_time=1.7e9 + 1.5, step=300, summary=summary_pb2.Summary(value=scalars[:1] + [histogram, texts])),
]
file = io.BytesIO()
writer = RecordWriter(file)
for event in events:
    writer.write(event.SerializeToString(deterministic=True))
(pathlib.Path(__file__).parent / "events.golden").write_bytes(file.getvalue())
