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
        let isInPlace = stored == precision.storedType
        for entry in Parameters.layout(shape, head: head) {
            let bytes = entry.count * (entry.isMatrix ? precision.storedType.size : 4)
            if entry.isMatrix && isInPlace { mapped += bytes } else { copied += bytes }
        }
    }
}

extension Precision {
    /// The type of a file whose matrices and embeddings are read in place.
    var storedType: StoredType { self == .float32 ? .float32 : .bfloat16 }
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
