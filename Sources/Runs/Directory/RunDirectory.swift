package import Failures
internal import Foundation
internal import ModelFiles

/// The directory that holds everything a run makes (design.md §7), and which of its stages are complete.
package struct RunDirectory: Equatable, Sendable {
    /// As the configuration gives it.
    package let path: String

    /// The path of a file or folder of the run.
    package func file(_ relative: String) -> String { "\(path)/\(relative)" }

    /// The path of something that an earlier stage made.
    ///
    /// - Throws: `Failure` 66 naming it and the stage that makes it, where it is missing or that stage did not finish.
    package func require(_ relative: String, madeBy stage: Stage) throws(Failure) -> String {
        guard isComplete(stage), FileManager.default.fileExists(atPath: file(relative)) else {
            throw Failure(
                .missingInput,
                "is not there or not complete; the stage \(stage.rawValue) makes it: run that first",
                at: file(relative)
            )
        }
        return file(relative)
    }

    /// Whether a stage ran to its end and nothing before it was done again since.
    package func isComplete(_ stage: Stage) -> Bool { FileManager.default.fileExists(atPath: marker(stage)) }

    /// Makes a folder of the run, and the folders above it.
    package func makeFolder(_ relative: String) throws(Failure) {
        try createDirectory(file(relative))
    }

    /// Where the end of a stage is noted.
    func marker(_ stage: Stage) -> String { file("completed/\(stage.rawValue)") }

    /// Notes that a stage ran to its end.
    func complete(_ stage: Stage) throws(Failure) {
        try createDirectory(file("completed"))
        try writeAtomically("", to: marker(stage))
    }
}

/// Makes a directory and those above it.
func createDirectory(_ path: String) throws(Failure) {
    do {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        let code: ExitCode =
            (error as? CocoaError)?.code == .fileWriteNoPermission ? .permission : .cannotCreate
        throw Failure(code, "cannot create this directory; choose another run.directory", at: path)
    }
}
