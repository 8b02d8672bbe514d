package import Failures
import Foundation
import ModelFiles

/// The checkpoints of one training: `RUN/checkpoints/TRAINING/step-N/`, ordered by step, never by time.
///
/// A name that begins with a point is of a checkpoint that is being written (`.tmp-…`) or replaced (`.old-…`).
package struct CheckpointFolder: Equatable {
    package let path: String

    /// Where the checkpoint of a step lies.
    package func checkpoint(_ step: Int) -> String { "\(path)/step-\(step)" }

    /// The steps that there are directories of, whatever their content; ascending.
    package func steps() throws(Failure) -> [Int] {
        try contents().compactMap { name in name.hasPrefix("step-") ? Int(name.dropFirst(5)) : nil }.sorted()
    }

    /// All names in the folder, sorted; none where it is not there.
    ///
    /// One that cannot be listed is an error: what is there must not be taken for nothing.
    private func contents() throws(Failure) -> [String] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw Failure(.inputOutput, "cannot be listed: \(error.localizedDescription)", at: path)
        }
    }

    /// Makes the folder, and in it a directory to write the checkpoint of a step into; gives its path.
    package func makeTemporary(step: Int) throws(Failure) -> String {
        try createDirectory(path)
        let temporary = "\(path)/.tmp-step-\(step)-\(nonce())"
        guard unsafe mkdir(temporary, 0o777) == 0 else {
            throw writingFailure(errno, "cannot be created", otherwise: .cannotCreate, path: temporary)
        }
        // The folder itself may be new, and so may `checkpoints` above it.
        let parent = URL(literalPath: path).deletingLastPathComponent()
        do throws(Failure) {
            for folder in [path, parent.path, parent.deletingLastPathComponent().path] { try syncFolder(folder) }
        } catch {
            unsafe rmdir(temporary)
            throw error
        }
        return temporary
    }

    /// Gives a complete temporary directory its place; one that is there is set aside first, and goes with `rotate`.
    package func commit(_ temporary: String, step: Int) throws(Failure) {
        try syncFolder(temporary)
        if FileManager.default.fileExists(atPath: checkpoint(step)) {
            try move(checkpoint(step), to: "\(path)/.old-step-\(step)-\(nonce())")
        }
        try move(temporary, to: checkpoint(step))
        try syncFolder(path)
    }

    /// Removes all but the newest `keep` checkpoints up to `step`, which is known to be good.
    ///
    /// Later ones, of a run that went back behind them because they were damaged, go too.
    package func rotate(keep: Int, newest step: Int) throws(Failure) {
        let steps = try steps()
        let old = steps.filter { $0 <= step }.dropLast(keep) + steps.filter { $0 > step }
        let replaced = try contents().filter { $0.hasPrefix(".old-") }
        for name in old.map({ "step-\($0)" }) + replaced {
            try remove("\(path)/\(name)")
        }
    }

    /// Removes what a killed run left: unfinished directories, and those set aside, which go back where nothing
    /// replaced them.
    package func removeLeftovers() throws(Failure) {
        let names = try contents()
        for name in names where name.hasPrefix(".tmp-") { try remove("\(path)/\(name)") }
        for name in names where name.hasPrefix(".old-step-") {
            let step = name.dropFirst(".old-step-".count).prefix { $0.isNumber }
            if let step = Int(step), !FileManager.default.fileExists(atPath: checkpoint(step)) {
                try move("\(path)/\(name)", to: checkpoint(step))
            } else {
                try remove("\(path)/\(name)")
            }
        }
    }

    /// Removes a directory; its name goes first, so that a kill leaves no half of a checkpoint under it.
    private func remove(_ directory: String) throws(Failure) {
        var doomed = directory
        if directory.hasPrefix("\(path)/step-") {
            doomed = "\(path)/.tmp-\(nonce())"
            try move(directory, to: doomed)
        }
        do {
            try FileManager.default.removeItem(atPath: doomed)
        } catch {
            throw Failure(.inputOutput, "cannot be removed: \(error.localizedDescription)", at: doomed)
        }
    }

    private func move(_ old: String, to new: String) throws(Failure) {
        guard unsafe rename(old, new) == 0 else { throw writingFailure(errno, "cannot be renamed", path: old) }
    }

    private func nonce() -> String { String(UInt64.random(in: 0...UInt64.max), radix: 36) }
}
