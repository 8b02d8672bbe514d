import Failures
import Foundation
import LanguageModels
import Tensors

extension WeightFiles {
    /// The tensors of a trunk that is never trained: matrices and embeddings in place where the file has a type that
    /// `Precision.readsInPlace`, all else copied.
    ///
    /// - Throws: `Failure(.configuration)` where the copies alone would exceed the machine's memory.
    func frozenTrunk(
        _ matched: [(entry: Parameters.Entry, location: Place?)],
        precision: Precision,
        checksFinite: Bool,
        sharingWorkspace model: LanguageModel?
    ) throws(Failure) -> FrozenTensors {
        try checkCopies(matched, precision: precision)
        var matrices: [String: Tensor] = [:]
        var vectors: [String: Tensor] = [:]
        for (number, path) in files.enumerated() {
            let file = try SafetensorsFile(path: path)
            let mapped = try file.map()
            for (entry, location) in matched {
                guard let location, location.file == number, !Self.isHead(entry.name) else { continue }
                guard file.header.tensors.contains(location.tensor) else {
                    throw Failure(.inputOutput, "changed while it was read", at: path)
                }
                let tensor = try Self.tensor(entry, location.tensor, of: file, in: mapped, precision)
                if checksFinite { try requireFinite(tensor, location.tensor.name, at: path) }
                if entry.isMatrix { matrices[entry.name] = tensor } else { vectors[entry.name] = tensor }
            }
        }
        return FrozenTensors(matrices: matrices, vectors: vectors, precision: precision, sharingWorkspace: model)
    }

    private static func tensor(
        _ entry: Parameters.Entry,
        _ stored: StoredTensor,
        of file: borrowing SafetensorsFile,
        in mapped: MappedFile,
        _ precision: Precision
    ) throws(Failure) -> Tensor {
        // Vectors are small, and with each the system would map the pages around it.
        if entry.isMatrix, precision.readsInPlace(stored.type), let inPlace = file.tensor(stored, in: mapped) {
            return inPlace
        }
        let values = Tensor(zeros: entry.shape)
        try file.read(stored, into: values)
        guard entry.isMatrix, precision != .float32 else { return values }
        let copy = Tensor(zeros: entry.shape, precision.elementType)
        copy.copy(from: values)
        return copy
    }

    private func checkCopies(
        _ matched: [(entry: Parameters.Entry, location: Place?)],
        precision: Precision
    ) throws(Failure) {
        let copied = matched.filter { entry, location in
            entry.isMatrix && location.map { !precision.readsInPlace($0.tensor.type) } ?? false
        }
        let bytes = copied.reduce(0.0) { $0 + Double($1.entry.count * precision.elementType.size) }
        guard bytes <= Double(ProcessInfo.processInfo.physicalMemory) else {
            let stored = copied.first?.location?.tensor.type.rawValue ?? ""
            let gib = (bytes / 0x1p30 * 10).rounded() / 10
            throw Failure(
                .configuration,
                "weights are stored as \(stored); \(precision.rawValue) products need a copy of \(gib) GiB, more than "
                    + "this "
                    + "machine's memory; choose the precision of the file",
                at: files[0]
            )
        }
    }
}
