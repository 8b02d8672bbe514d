package import Failures
package import LanguageModels
import Tensors

/// Memory of a model that is opened in place.
package struct FrozenBytes: Equatable, Sendable {
    /// What stays in its files, mapped: processes of a machine share it.
    package var mapped = 0
    /// What is copied, since it is not read as the files have it.
    package var copied = 0

    /// Of a model whose tensors are all stored as `stored`.
    package init(_ shape: ModelConfiguration, head: Head, stored: StoredType, precision: Precision) {
        for entry in Parameters.layout(shape, head: head) {
            if entry.isMatrix && precision.readsInPlace(stored) {
                mapped += entry.count * stored.size
            } else {
                copied += entry.count * (entry.isMatrix ? precision.elementType.size : 4)
            }
        }
    }
}

extension Precision {
    /// Whether frozen matrices and embeddings that a file has in this type are read in place: those no wider than the
    /// operands are.
    ///
    /// A product takes any of them; it is exact in what the file has.
    func readsInPlace(_ stored: StoredType) -> Bool {
        stored.elementType.map { $0.size <= elementType.size } ?? false
    }
}

extension ModelDirectory {
    /// How most of a model's weights are stored; only headers are read.
    ///
    /// - Throws: `Failure` where files are missing or unsound.
    package static func storedType(_ path: String, followSymlinks: Bool = false) throws(Failure) -> StoredType {
        let shape = try configuration(path)
        let weights = try WeightFiles(directory: path, configuration: shape, followSymlinks: followSymlinks)
        let bytes = weights.bytesByType
        return bytes.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key ?? .float32
    }
}
