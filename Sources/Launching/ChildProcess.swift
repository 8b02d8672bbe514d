package import Failures
package import Foundation
import Runs

/// Starts a program that is found on the PATH, with our output and errors as its own.
///
/// It gets a process group of its own, so that Ctrl-C in a terminal reaches only us, and nothing on standard input.
///
/// - Parameter output: takes its standard output; nil: ours does.
/// - Throws: `Failure` where there is no such program.
package func startProcess(_ words: [String], input: Pipe? = nil, output: Pipe? = nil) throws(Failure) -> Process {
    let process = Process()
    process.executableURL = URL(literalPath: try pathOfProgram(words[0]))
    process.arguments = Array(words.dropFirst())
    process.standardInput = input ?? FileHandle.nullDevice
    if let output { process.standardOutput = output }
    do {
        try process.run()
    } catch {
        throw Failure(.cannotCreate, "cannot be started: \(error.localizedDescription)", at: words[0])
    }
    return process
}

/// Where a program lies: a path is itself, a name is looked up on the PATH.
private func pathOfProgram(_ name: String) throws(Failure) -> String {
    let folders = ProcessInfo.processInfo.environment["PATH", default: ""].split(separator: ":")
    let candidates = name.contains("/") ? [name] : folders.map { "\($0)/\(name)" }
    guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
        throw Failure(.missingInput, "no such program; install it, or put its folder on the PATH", at: name)
    }
    return found
}

/// Hands a batch script to the program that submits it.
///
/// - Throws: `Failure` where that program refuses; its own message has the reason.
package func submit(_ script: String, to program: String) throws(Failure) {
    let input = Pipe()
    let process = try startProcess([program], input: input)
    try? input.fileHandleForWriting.write(contentsOf: Data("\(script)\n".utf8))
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
        throw Failure(.cannotCreate, "the job was not submitted (status \(process.terminationStatus))", at: program)
    }
}
