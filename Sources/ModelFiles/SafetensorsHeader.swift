package import Failures
import StrictJSON
import Tensors

/// How the elements of a stored tensor are written.
package enum StoredType: String, Sendable, CaseIterable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint64 = "U64"
    case uint32 = "U32"
    case uint16 = "U16"
    case uint8 = "U8"
    case bool = "BOOL"

    /// Bytes of one element.
    package var size: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    /// What tensors over the file are; nil for what weights cannot be.
    var elementType: ElementType? {
        switch self {
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        default: nil
        }
    }
}

/// A tensor of a safetensors file.
package struct StoredTensor: Equatable, Sendable {
    /// Its name.
    package let name: String
    /// How its elements are written.
    package let type: StoredType
    /// Lengths of the dimensions.
    package let shape: [Int]
    /// Where its bytes are, counted from the start of the data.
    package let bytes: Range<Int>
}

/// The header of a safetensors file: what it holds, checked against the file's length.
///
/// Format and checks: https://github.com/huggingface/safetensors, `README.md` and `safetensors/src/tensor.rs`; we also
/// refuse duplicate names, which differ by their bytes only.
package struct SafetensorsHeader: Sendable {
    /// Header bytes at most; real models need far less.
    package static let maximumBytes = 16 << 20
    /// Tensors at most.
    package static let maximumTensors = 65_536
    private static let maximumRank = 8
    private static let maximumMetadataBytes = 1 << 20

    /// The tensors, in order of their data.
    package let tensors: [StoredTensor]
    /// The free text pairs of `__metadata__`, in order.
    package let metadata: [(key: String, value: String)]

    /// Parses and checks the JSON of a header.
    ///
    /// - Parameters:
    ///   - bytes: the header's bytes, without the eight that state its length.
    ///   - dataBytes: how many bytes follow the header in the file.
    ///   - location: the file, named in errors.
    /// - Throws: `Failure(.badData)` for what is malformed, overlaps, leaves a hole or does not fill the file.
    package init(parsing bytes: [UInt8], dataBytes: Int, at location: String) throws(Failure) {
        let limits = JSONLimits(maximumBytes: Self.maximumBytes, maximumDepth: 4)
        let fields = try JSONFields(JSONValue(parsing: bytes, at: location, limits: limits), at: location)
        guard fields.object.count <= Self.maximumTensors + 1 else {
            throw Failure(
                .badData,
                "\(fields.object.count) tensors, more than the limit of \(Self.maximumTensors)",
                at: location
            )
        }
        var tensors: [StoredTensor] = []
        var metadata: [(key: String, value: String)] = []
        for member in fields.object.members {
            if member.key == "__metadata__" {
                metadata = try Self.metadata(fields.fields(member.key))
            } else {
                tensors.append(try Self.tensor(member.key, fields.fields(member.key)))
            }
        }
        tensors.sort { ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound) }
        var end = 0
        for tensor in tensors {
            let start = tensor.bytes.lowerBound
            guard start == end else {
                let fault = start < end ? "overlaps the tensor before it" : "leaves a hole before it"
                throw Failure(.badData, "tensor '\(tensor.name)' starts at byte \(start) and \(fault)", at: location)
            }
            end = tensor.bytes.upperBound
        }
        guard end == dataBytes else {
            throw Failure(
                .badData,
                "the tensors take \(end) bytes but \(dataBytes) follow the header: the file is truncated or has extra "
                    + "bytes",
                at: location
            )
        }
        self.tensors = tensors
        self.metadata = metadata
    }

    private static func metadata(_ fields: JSONFields) throws(Failure) -> [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        var size = 0
        for key in fields.object.keys {
            let value = try fields.string(key)
            size += key.utf8.count + value.utf8.count
            pairs.append((key, value))
        }
        guard size <= maximumMetadataBytes else {
            throw Failure(
                .badData,
                "__metadata__ of \(size) bytes, more than the limit of \(maximumMetadataBytes)",
                at: fields.location
            )
        }
        return pairs
    }

    private static func tensor(_ name: String, _ fields: JSONFields) throws(Failure) -> StoredTensor {
        if let unknown = fields.object.keys.first(where: { !["dtype", "shape", "data_offsets"].contains($0) }) {
            throw fields.failure(unknown, "is no field of a tensor")
        }
        let typeName = try fields.string("dtype")
        guard let type = StoredType(rawValue: typeName) else {
            let supported = StoredType.allCases.map(\.rawValue).joined(separator: ", ")
            throw fields.failure("dtype", "is '\(typeName)'; supported: \(supported)")
        }
        let rank = try fields.array("shape").count
        guard rank <= maximumRank else {
            throw fields.failure("shape", "has \(rank) dimensions, more than the limit of \(maximumRank)")
        }
        let shape = try fields.ints("shape", in: 0...Int.max)
        let offsetCount = try fields.array("data_offsets").count
        guard offsetCount == 2 else {
            throw fields.failure("data_offsets", "must be two numbers, found \(offsetCount)")
        }
        let offsets = try fields.ints("data_offsets", in: 0...Int.max)
        guard offsets[0] <= offsets[1] else {
            throw fields.failure("data_offsets", "end before they begin: \(offsets[0]), \(offsets[1])")
        }
        var size = type.size
        for length in shape {
            let (product, overflow) = size.multipliedReportingOverflow(by: length)
            guard !overflow else { throw fields.failure("shape", "is too large: its byte count overflows") }
            size = product
        }
        guard offsets[1] - offsets[0] == size else {
            throw fields.failure(
                "data_offsets",
                "cover \(offsets[1] - offsets[0]) bytes where dtype and shape need \(size)"
            )
        }
        return StoredTensor(name: name, type: type, shape: shape, bytes: offsets[0]..<offsets[1])
    }
}
