package import Collectives

/// What every stage works with.
package struct RunContext {
    package let configuration: Configuration
    package let directory: RunDirectory
    package let communicator: any Communicator
    /// Tells people one line; silent on all ranks but the root.
    package let log: (String) -> Void

    /// Whether this rank writes files and talks.
    package var isRoot: Bool { communicator.rank == 0 }
}
