#if DEBUG

import Foundation

/// Has processes run a parser's inputs, and goes on with the next input where one ends a process.
struct Supervision {
    let parser: String
    let seed: Int
    /// Where inputs that went wrong are kept.
    let found: String

    /// Inputs of one process: what it leaks must not add up.
    private static let batch = 1000
    /// A parser that fails all the time is not run to the end.
    private static let faults = 20

    /// Whether all inputs went well; prints `ok` or `not ok`.
    func run(_ count: Int) throws -> Bool {
        var next = 0, complaints: [String] = [], memory = 0
        while next < count, complaints.count < Self.faults {
            let batch = try runProcess(next..<min(count, next + Self.batch))
            memory = max(memory, batch.memory)
            if let complaint = batch.complaint {
                let input = Mutator(Corpus.inputs(of: parser), seed: UInt64(seed)).input(batch.last)
                let path = "\(found)/\(batch.last)-\(input.name)"
                let isKept = FileManager.default.createFile(atPath: path, contents: Data(input.bytes))
                if !isKept { fatalError("cannot write \(path)") }
                complaints.append("\(complaint); see: fuzz \(parser) \(path)")
            }
            next = batch.last + 1
        }
        for complaint in complaints { print("not ok fuzz \(parser): \(complaint)") }
        if complaints.isEmpty { print("ok fuzz \(parser): \(count) inputs, \(memory >> 20) MiB") }
        return complaints.isEmpty
    }

    /// Runs inputs in a process.
    ///
    /// - Returns: the last that it began with, what it died of there, and the memory that it took at most, in bytes.
    private func runProcess(_ range: Range<Int>) throws -> (last: Int, complaint: String?, memory: Int) {
        let folder = temporaryFolder(), log = folder + ".log"
        defer { for path in [folder, log] { try? FileManager.default.removeItem(atPath: path) } }
        guard FileManager.default.createFile(atPath: log, contents: nil), let output = FileHandle(forWritingAtPath: log)
        else { fatalError("cannot write \(log)") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = [parser, "\(seed)", "\(range.lowerBound)", "\(range.upperBound)", folder]
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        process.standardOutput = output
        process.standardError = output
        try process.run()
        process.waitUntilExit()
        let text = String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
        let lines = text.split(separator: "\n")
        let last = lines.last { Int($0) != nil }.flatMap { Int($0) } ?? range.lowerBound
        let memory = lines.last.flatMap { $0.hasPrefix("peak ") ? Int($0.dropFirst(5)) : nil } ?? 0
        if process.terminationReason == .exit, process.terminationStatus == 0 {
            return (range.upperBound - 1, nil, memory)
        }
        let said = lines.first { $0.contains("Fatal error") }.map { ": \($0.prefix(300))" } ?? ""
        return (last, "input \(last) ends with \(name(ofSignal: process.terminationStatus))\(said)", memory)
    }

    private func name(ofSignal signal: Int32) -> String {
        switch signal {
        case SIGPROF: "more than \(secondsOfOneInput) s of computing"
        case SIGALRM: "waiting for ever"
        default: "signal \(signal)"
        }
    }
}

#endif
