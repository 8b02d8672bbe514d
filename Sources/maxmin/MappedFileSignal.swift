import Failures
import Foundation

/// Ends the program with 74 where a file that is used in place fails: it became shorter, or its disk cannot be read.
///
/// The system says so by SIGBUS, in the middle of a read of memory, where no error can be thrown.
func endWhereMappedFilesFail() {
    signal(SIGBUS) { _ in
        let line: StaticString = """
            maxmin: error: a file of weights became shorter while it was used, or its disk cannot be read; \
            replace a model by renaming another one over it, never in location\n
            """
        _ = unsafe write(STDERR_FILENO, line.utf8Start, line.utf8CodeUnitCount)
        _exit(ExitCode.inputOutput.rawValue)
    }
}
