public import Failures
import StrictJSON
public import Tensors

/// Writes float32 tensors that lie end to end in `values` as a safetensors file, atomically.
///
/// - Parameters:
///   - tensors: name and shape of each, in their order in `values`, which they fill together.
///   - values: the flat float32 vector, or its part that the tensors fill.
///   - path: the file, replaced if it is there.
/// - Throws: `Failure` with `cannotCreate`, `permission` or `inputOutput`; an old file is then intact.
public func writeSafetensors(
    _ tensors: [(name: String, shape: [Int])],
    values: Tensor,
    to path: String
) throws(Failure) {
    var header = JSONObject()
    header["__metadata__"] = ["format": "pt"]
    var offset = 0
    for tensor in tensors {
        let end = offset + 4 * tensor.shape.reduce(1, *)
        header[tensor.name] = [
            "dtype": "F32",
            "shape": .array(tensor.shape.map { .integer($0) }),
            "data_offsets": [.integer(offset), .integer(end)],
        ]
        offset = end
    }
    precondition(offset == 4 * values.count, "the tensors take \(offset) bytes of \(4 * values.count)")
    var text = Array(JSONValue.object(header).encoded().utf8)
    // Spaces after the JSON align the data to eight bytes.
    text += Array(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }

    let file = try AtomicFile(path: path)
    try file.write(length.span)
    try file.write(text.span)
    try values.withMutableSpan { elements throws(Failure) in
        try file.write(elements.span)
    }
    try file.commit()
}
