package import Failures
import StrictJSON
package import Tensors

/// Writes float32 tensors that lie end to end in `values` as a safetensors file, atomically.
///
/// - Parameters:
///   - tensors: name and shape of each, in their order in `values`, which they fill together.
///   - values: the flat float32 vector, or its part that the tensors fill.
///   - path: the file, replaced if it is there.
/// - Throws: `Failure` with `cannotCreate`, `permission` or `inputOutput`; an old file is then intact.
@discardableResult
package func writeSafetensors(
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
package func writeSafetensors(
    vectors: [(name: String, values: Tensor)],
    to path: String
) throws(Failure) -> FileSeal {
    try writeSafetensors(
        header: safetensorsHeader(vectors.map { ($0.name, [$0.values.count]) }),
        parts: vectors.map(\.values),
        to: path
    )
}

/// Elements that are made and written at a time.
private let elementsAtATime = 1 << 20

/// Writes tensors as a safetensors file, F32 or BF16, as they are made; atomically.
///
/// `values` gives a tensor's elements in a range; tensors and ranges follow each other in order.
func writeSafetensors(
    _ tensors: [(name: String, shape: [Int])],
    _ type: StoredType,
    to path: String,
    values: (_ tensor: Int, _ range: Range<Int>) throws(Failure) -> [Float]
) throws(Failure) {
    precondition(type == .float32 || type == .bfloat16, "weights are not written as \(type.rawValue)")
    let counts = tensors.map { $0.shape.reduce(1, *) }
    let header = safetensorsHeader(tensors, type)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    var file = try AtomicFile(path: path)
    try file.reserve(8 + header.count + type.size * counts.reduce(0, +))
    try file.write(length.span)
    try file.write(header.span)
    for (tensor, count) in counts.enumerated() {
        for start in stride(from: 0, to: count, by: elementsAtATime) {
            let elements = try values(tensor, start..<min(start + elementsAtATime, count))
            if type == .float32 {
                try file.write(elements.span)
            } else {
                let halves = elements.map(bfloat16Bits)
                try file.write(halves.span)
            }
        }
    }
    _ = try file.commit()
}

/// Rounds to nearest, ties to even; for finite numbers.
private func bfloat16Bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
}

/// The header, as JSON padded with spaces so that the data begin at a multiple of eight bytes.
private func safetensorsHeader(_ tensors: [(name: String, shape: [Int])], _ type: StoredType = .float32) -> [UInt8] {
    var header = JSONObject()
    header["__metadata__"] = ["format": "pt"]
    var offset = 0
    for tensor in tensors {
        let end = offset + type.size * tensor.shape.reduce(1, *)
        header[tensor.name] = [
            "dtype": .string(type.rawValue),
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
