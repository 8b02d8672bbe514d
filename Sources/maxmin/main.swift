import ArgumentParser
import Failures
import Foundation

// A closed pipe must not end a run: writes to it fail instead.
signal(SIGPIPE, SIG_IGN)

do {
    var command = try MaxMin.parseAsRoot()
    try command.run()
} catch  where isOurs(error) {
    let (lines, code) = explain(error)
    tell(lines, rank: nil)
    exit(code.rawValue)
} catch {
    // Wrong usage (64), or a request for help (0). Under mpirun the root speaks for all.
    if launchedRank > 0 {
        sleep(1)
        exit(MaxMin.exitCode(for: error).rawValue)
    }
    MaxMin.exit(withError: error)
}
