import ArgumentParser
import Failures
import Foundation

// A closed pipe must not end a run: writes to it fail instead.
signal(SIGPIPE, SIG_IGN)
endWhereMappedFilesFail()

// The shell expands ~ only at the beginning of a word.
for word in CommandLine.arguments where launchedRank == 0 && word.hasPrefix("--") && word.contains("=~/") {
    say("maxmin: warning: \(word): ~ is not expanded, it is a folder of that name; write the full path")
}

do {
    var command = try MaxMin.parseAsRoot()
    try command.run()
} catch {
    // Ours, or the argument parser's: wrong usage (64), or a request for help (0). Every rank that mpirun started meets
    // it by itself; the root speaks for all, and the others give it the time to.
    if launchedRank > 0 { sleep(1) }
    if isOurs(error) { exit(launchedRank > 0 ? exitCode(of: error).rawValue : tell(error, rank: nil).rawValue) }
    let code = MaxMin.exitCode(for: error)
    if launchedRank > 0 { exit(code.rawValue) }
    if code.isSuccess { MaxMin.exit(withError: error) }
    // What was typed is part of the message; the status of another program has none.
    let message = printable(MaxMin.fullMessage(for: error), keepsLines: true)
    if !message.isEmpty { say(message) }
    exit(code.rawValue)
}
