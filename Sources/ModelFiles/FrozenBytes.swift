public import Failures
public import LanguageModels

/// Memory of a model that is opened in place.
public struct FrozenBytes: Equatable, Sendable {
    /// What stays in its files, mapped: processes of a machine share it.
    public var mapped = 0
    /// What is copied, since the files have another type than the one in which it is read.
    public var copied = 0

    /// Of a model whose tensors are all stored as `stored`.
    public init(_ shape: ModelConfiguration, head: Head, stored: StoredType, precision: Precision) {
        for entry in Parameters.layout(shape, head: head) {
            let isTable = entry.name == shape.tokenEmbeddingName
            let isMapped = stored == .float32 || stored == .bfloat16
            if FrozenTensors.isMatrix(entry, shape) {
                add(entry.count, as: precision == .float32 ? .float32 : .bfloat16, of: stored)
                // A tied table is looked up in the bytes that products read, where its type allows that.
                if isTable && (shape.llama != nil && isMapped || stored == .float32 && precision == .float32) {
                    continue
                }
            }
            if isTable && shape.llama != nil && isMapped {
                mapped += stored.size * entry.count
            } else if entry.shape.count == 1 {
                copied += 4 * entry.count
            } else if isTable || !FrozenTensors.isMatrix(entry, shape) {
                add(entry.count, as: .float32, of: stored)
            }
        }
    }

    private mutating func add(_ count: Int, as type: StoredType, of stored: StoredType) {
        if type == stored { mapped += count * type.size } else { copied += count * type.size }
    }
}

extension ModelDirectory {
    /// How most of a model's weights are stored; only headers are read.
    ///
    /// - Throws: `Failure` where files are missing or unsound.
    public static func storedType(_ path: String) throws(Failure) -> StoredType {
        let shape = try configuration(path)
        let checkpoint = try Checkpoint(directory: path, configuration: shape, followSymlinks: false)
        let bytes = checkpoint.bytesByType
        return bytes.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key ?? .float32
    }
}
