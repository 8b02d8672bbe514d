import Failures
import Foundation
import LanguageModels
import Tensors

extension Checkpoint {
    /// The tensors of a trunk that is never trained: matrices and tables in place where the file has the type in which they are read,
    /// all else copied.
    ///
    /// - Throws: `Failure(.configuration)` where the copies alone would exceed the machine's memory.
    func frozenTrunk(
        _ matched: [(entry: Parameters.Entry, place: Place?)],
        _ configuration: ModelConfiguration,
        precision: Precision,
        checksFinite: Bool,
        passing model: LanguageModel?
    ) throws(Failure) -> FrozenTensors {
        try checkCopies(matched, configuration, precision: precision)
        var matrices: [String: Tensor] = [:]
        var vectors: [String: Tensor] = [:]
        for (number, path) in files.enumerated() {
            let file = try SafetensorsFile(path: path)
            let mapped = try file.map()
            for (entry, place) in matched {
                guard let place, place.file == number, !Self.isHead(entry.name) else { continue }
                guard file.header.tensors.contains(place.tensor) else {
                    throw Failure(.inputOutput, "changed while it was read", at: path)
                }
                let inPlace = file.tensor(place.tensor, in: mapped)
                func tensor(_ type: ElementType) throws(Failure) -> Tensor {
                    // Vectors are small, and with each the system would map the pages around it.
                    if let inPlace, inPlace.elementType == type, entry.shape.count > 1 {
                        if checksFinite { try requireFinite(inPlace, place.tensor.name, at: path) }
                        return inPlace
                    }
                    let values = Tensor(zeros: entry.shape)
                    try file.read(place.tensor, into: values)
                    if checksFinite { try requireFinite(values, place.tensor.name, at: path) }
                    guard type == .bfloat16 else { return values }
                    let copy = Tensor(zeros: entry.shape, type)
                    copy.copy(from: values)
                    return copy
                }
                if FrozenTensors.isMatrix(entry, configuration) {
                    matrices[entry.name] = try tensor(precision.elementType)
                }
                if Self.isLookedUpInPlace(entry, configuration), let inPlace {
                    vectors[entry.name] = inPlace
                } else if Self.isVector(entry, configuration) {
                    vectors[entry.name] = try tensor(.float32)
                }
            }
        }
        return FrozenTensors(matrices: matrices, vectors: vectors, passing: model)
    }

    private static func isVector(_ entry: Parameters.Entry, _ configuration: ModelConfiguration) -> Bool {
        entry.name == configuration.tokenEmbeddingName || !FrozenTensors.isMatrix(entry, configuration)
    }

    /// Llama's token embedding is looked up in the type that it has.
    private static func isLookedUpInPlace(_ entry: Parameters.Entry, _ configuration: ModelConfiguration) -> Bool {
        configuration.llama != nil && entry.name == configuration.tokenEmbeddingName
    }

    private func checkCopies(
        _ matched: [(entry: Parameters.Entry, place: Place?)],
        _ configuration: ModelConfiguration,
        precision: Precision
    ) throws(Failure) {
        let wanted: StoredType = precision == .float32 ? .float32 : .bfloat16
        let copied = matched.filter { entry, place in
            FrozenTensors.isMatrix(entry, configuration) && place.map { $0.tensor.type != wanted } ?? false
        }
        let bytes = copied.reduce(0.0) { $0 + Double($1.entry.count * precision.elementType.size) }
        guard bytes <= Double(ProcessInfo.processInfo.physicalMemory) else {
            let stored = copied.first?.place?.tensor.type.rawValue ?? ""
            let gib = (bytes / 0x1p30 * 10).rounded() / 10
            throw Failure(
                .configuration,
                "weights are stored as \(stored); \(precision.rawValue) products need a copy of \(gib) GiB, more than this "
                    + "machine's memory; choose the precision of the file",
                at: files[0]
            )
        }
    }
}
