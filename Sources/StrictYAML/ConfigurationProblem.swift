import Failures

/// One thing wrong with a configuration.
package struct ConfigurationProblem: Equatable, Sendable, CustomStringConvertible {
    /// `file:line` or the `--set` option; nil where no single place is at fault.
    package let location: String?
    /// What is wrong and the remedy; one line that names the key.
    package let message: String

    /// States a problem.
    package init(location: String?, message: String) {
        self.location = location
        self.message = message
    }

    /// `location: message`, one line, control characters escaped.
    package var description: String { Failure(.configuration, message, at: location).description }
}

/// Everything wrong with a configuration, found in one pass.
///
/// Ends the program with exit code 78.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// In the order of the reference; never empty.
    package let problems: [ConfigurationProblem]

    /// States the problems.
    package init(problems: [ConfigurationProblem]) { self.problems = problems }

    /// One line a problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
