#if DEBUG

import Failures
import Foundation
import Runs
import StrictYAML

/// Runs inputs in this process, which ends where one of them traps, takes too long or too much memory.
///
/// Standard output has the number of each input before it is run, and at the end `peak BYTES`.
func runBatch(_ parser: Parser, _ inputs: some Sequence<Input>, from first: Int, in folder: String) {
    limitResources()
    for (index, input) in inputs.enumerated() {
        tell("\(first + index)")
        startClock()
        run(parser, input, folder)
    }
    var usage = rusage()
    _ = unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
    tell("peak \(usage.ru_maxrss << 10)")
}

/// Unlike `print` at once, or a process that dies would say nothing.
private func tell(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

/// Runs one input, in an empty folder.
func run(_ parser: Parser, _ input: Input, _ folder: String) {
    try? FileManager.default.removeItem(atPath: folder)
    do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try parser.run(input, folder)
    } catch let failure as Failure {
        if failure.code == .internalError { fatalError("bad input is called a fault of the program: \(failure)") }
    } catch is ConfigurationError {
        // What it says is checked by other tests.
    } catch {
        fatalError("bad input gives no Failure but \(type(of: error)): \(error)")
    }
}

/// Processor time of one input, of at most a quarter of a megabyte.
let secondsOfOneInput = 5
/// Memory of its process.
private let memoryLimit: UInt = 1 << 30

private func limitResources() {
    var limit = rlimit(rlim_cur: memoryLimit, rlim_max: memoryLimit)
    guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0 else {
        fatalError("no limit of memory")
    }
}

/// Ends the process after seconds of computing, or of waiting for something that does not come.
private func startClock() {
    var timer = itimerval()
    timer.it_value.tv_sec = secondsOfOneInput
    guard unsafe setitimer(Int32(ITIMER_PROF.rawValue), &timer, nil) == 0 else { fatalError("no timer") }
    alarm(UInt32(6 * secondsOfOneInput))
}

#endif
