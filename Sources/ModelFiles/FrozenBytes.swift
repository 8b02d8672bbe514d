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
        let wanted: StoredType = precision == .float32 ? .float32 : .bfloat16
        for entry in Parameters.layout(shape, head: head) {
            if !entry.isMatrix {
                copied += 4 * entry.count
            } else if stored == wanted {
                mapped += wanted.size * entry.count
            } else {
                copied += wanted.size * entry.count
            }
        }
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
