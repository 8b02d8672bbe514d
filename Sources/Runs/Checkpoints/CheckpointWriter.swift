import Collectives
import Failures
import Foundation
import ModelFiles
import Optimizers
import Tensors

/// Where a checkpoint belongs and what it was computed from: what the manifest says besides the files.
struct CheckpointLabel {
    let training: String
    let step: Int
    /// Length of `metrics.jsonl`, on the root.
    let metricsBytes: Int
    let configuration: [String: String]
}

/// What one rank wrote.
private struct WrittenPart: Codable {
    struct Slice: Codable {
        let vector: String
        let length: Int
        let start: Int
        let count: Int
    }

    let file: String
    let seal: FileSeal
    let slices: [Slice]
}

/// Writes a checkpoint, or nothing: every rank calls it, and all throw where one fails.
///
/// Each rank writes its part into a temporary directory; then the root writes the records, the manifest and, last, the
/// commit record, everything synced, and renames the directory. When every rank has read its part back, the oldest
/// checkpoints beyond `keep` are removed.
///
/// - Throws: `Failure` with `inputOutput`, `permission` or `cannotCreate`; earlier checkpoints are then intact and the
///   temporary directory is gone.
func writeCheckpoint(
    _ state: TrainingState,
    _ label: CheckpointLabel,
    in folder: CheckpointFolder,
    keep: Int,
    over communicator: any Communicator
) throws {
    let temporary = String(
        decoding: try communicator.broadcast(agreeing: { Array(try folder.makeTemporary(step: label.step).utf8) }),
        as: UTF8.self
    )
    do {
        try communicator.enter(.save, step: label.step)
        let parts = try communicator.allGather(agreeing: {
            let part = try writePart(state.vectors, to: temporary, rank: communicator.rank, of: communicator.size)
            return try encodedJSON(part)
        })
        try communicator.enter(.commit, step: label.step)
        _ = try communicator.broadcast(agreeing: {
            let written = try parts.map { try JSONDecoder().decode(WrittenPart.self, from: Data($0)) }
            let records = try writeAtomically(recordLines(state), to: "\(temporary)/\(recordsFile)")
            let manifest = try encodedJSON(manifest(label, parts: written, records: records))
            let commit = CommitRecord(manifest: try writeAtomically(manifest, to: "\(temporary)/manifest.json"))
            try writeAtomically(encodedJSON(commit), to: "\(temporary)/COMMIT")
            try folder.commit(temporary, step: label.step)
            return []
        })
        try communicator.agree {
            let part = try JSONDecoder().decode(WrittenPart.self, from: Data(parts[communicator.rank]))
            try part.seal.check("\(folder.checkpoint(label.step))/\(part.file)")
        }
    } catch {
        if communicator.rank == 0 { try? FileManager.default.removeItem(atPath: temporary) }
        throw error
    }
    try communicator.enter(.rotate, step: label.step)
    _ = try communicator.broadcast(agreeing: {
        try folder.rotate(keep: keep, newest: label.step)
        return []
    })
}

/// The file of the records.
let recordsFile = "records.jsonl"

/// What a line of `recordsFile` begins with; the record and `}` follow.
func recordPrefix(_ name: String) -> [UInt8] { Array("{\"name\":\"\(name)\",\"record\":".utf8) }

private func recordLines(_ state: TrainingState) -> [UInt8] {
    state.records.flatMap { recordPrefix($0.name) + $0.json + Array("}\n".utf8) }
}

/// Writes this rank's part of every vector: its own slices, and its share of the vectors that all ranks hold whole.
private func writePart(_ vectors: [StateVector], to directory: String, rank: Int, of ranks: Int) throws -> WrittenPart {
    let own = vectors.map { vector in
        guard vector.isReplicated else { return vector }
        let range = (rank * vector.length / ranks)..<((rank + 1) * vector.length / ranks)
        return StateVector(
            vector.name,
            part: vector.values.view(at: range.lowerBound, shape: [range.count]),
            from: range.lowerBound,
            of: vector.length
        )
    }
    let file = "part-\(rank).safetensors"
    // A vector shorter than the ranks has no part on some of them.
    let slices = own.filter { $0.values.count > 0 }
    let seal = try writeSafetensors(
        vectors: slices.map { (CheckpointManifest.tensorName($0.name, from: $0.start), $0.values) },
        to: "\(directory)/\(file)"
    )
    return WrittenPart(
        file: file,
        seal: seal,
        slices: slices.map {
            WrittenPart.Slice(vector: $0.name, length: $0.length, start: $0.start, count: $0.values.count)
        }
    )
}

private func manifest(_ label: CheckpointLabel, parts: [WrittenPart], records: FileSeal) throws -> CheckpointManifest {
    var files = [recordsFile: records]
    var vectors: [String: CheckpointManifest.Vector] = [:]
    for part in parts {
        files[part.file] = part.seal
        for slice in part.slices {
            vectors[slice.vector, default: .init(length: slice.length, parts: [])].parts.append(
                .init(start: slice.start, count: slice.count, file: part.file)
            )
        }
    }
    for name in vectors.keys { vectors[name]?.parts.sort { $0.start < $1.start } }
    let manifest = CheckpointManifest(
        training: label.training,
        step: label.step,
        metricsBytes: label.metricsBytes,
        configuration: label.configuration,
        files: files,
        vectors: vectors
    )
    guard manifest.isConsistent else {
        throw Failure(
            .internalError,
            "the ranks' parts do not make whole vectors",
            at: "checkpoint of \(label.training)"
        )
    }
    return manifest
}

/// Throws where a folder's file system has less room than `bytes` for this user.
func requireFreeSpace(_ bytes: Int, at path: String) throws(Failure) {
    // A file system that does not tell is found out by writing.
    guard let free = freeSpace(at: path), free < bytes else { return }
    throw Failure(
        .inputOutput,
        "checkpoints need \(bytes) bytes, \(free) are free; make room, or choose another run.directory",
        at: path
    )
}
