/// How the program ends, as the exit code that scripts and schedulers rely on (docs/command-line.md).
package enum ExitCode: Int32, Sendable {
    case done = 0
    case usage = 64
    case badData = 65
    case missingInput = 66
    case internalError = 70
    case cannotCreate = 73
    case inputOutput = 74
    case resumable = 75
    case permission = 77
    case configuration = 78
    case watchdog = 86
}

/// An error that a person can act on: one line that names the place, the reason and the remedy.
package struct Failure: Error, Equatable, CustomStringConvertible {
    /// The exit code of a program that ends with this failure.
    package let code: ExitCode
    /// What went wrong and, where there is one, the remedy, on one line.
    package let message: String
    /// The file, `file:line`, or configuration key concerned.
    package let location: String?

    /// Describes a failure.
    package init(_ code: ExitCode, _ message: String, at location: String? = nil) {
        self.code = code
        self.message = message
        self.location = location
    }

    /// `location: message`, printable and on one line of at most 4 KiB; of a longer place the beginning is shown.
    package var description: String {
        printable(location.map { "\(printable($0, limit: 2048)): \(message)" } ?? message)
    }
}
