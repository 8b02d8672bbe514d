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
@discardableResult
public func writeSafetensors(
    _ tensors: [(name: String, shape: [Int])],
    values: Tensor,
    to path: String
) throws(Failure) -> FileSeal {
    let lengths = tensors.map { $0.shape.reduce(1, *) }
    precondition(lengths.reduce(0, +) == values.count, "the tensors fill all of \(values.count) elements")
    return try writeSafetensors(
        header: safetensorsHeader(tensors),
        parts: [values],
        to: path
    )
}

/// Writes float32 vectors that lie anywhere as a safetensors file, atomically.
///
/// Room for all of it is taken first, so that a full disk is known before anything is written.
///
/// - Returns: what its bytes must be when they are read again.
/// - Throws: as the function above.
public func writeSafetensors(
    vectors: [(name: String, values: Tensor)],
    to path: String
) throws(Failure) -> FileSeal {
    try writeSafetensors(
        header: safetensorsHeader(vectors.map { ($0.name, [$0.values.count]) }),
        parts: vectors.map(\.values),
        to: path
    )
}

/// The header, as JSON padded with spaces so that the data begin at a multiple of eight bytes.
private func safetensorsHeader(_ tensors: [(name: String, shape: [Int])]) -> [UInt8] {
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
    let text = Array(JSONValue.object(header).encoded().utf8)
    return text + Array(repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
}

private func writeSafetensors(header: [UInt8], parts: [Tensor], to path: String) throws(Failure) -> FileSeal {
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    var file = try AtomicFile(path: path)
    try file.reserve(8 + header.count + parts.reduce(0) { $0 + 4 * $1.count })
    try file.write(length.span)
    try file.write(header.span)
    for part in parts {
        try part.withMutableSpan { elements throws(Failure) in
            try file.write(elements.span)
        }
    }
    return try file.commit()
}
