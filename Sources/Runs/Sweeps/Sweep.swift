package import StrictYAML

/// A sweep as its file describes it: one run for each combination of values of some keys.
///
/// Every key is declared once, here; `docs/sweeps.md` is made from those declarations.
package struct Sweep: Equatable, Sendable {
    /// Path of the configuration that every run begins with.
    package private(set) var base = ""
    /// The folder of the runs' directories.
    package private(set) var directory = ""
    package private(set) var grid: [SweptKey] = []
    /// Values that all runs have.
    package private(set) var settings: [SweptKey] = []
    /// Where it was read from, for messages.
    package let file: String

    /// Decodes YAML text.
    ///
    /// - Throws: every problem at once.
    package init(yaml text: String, file: String) throws(ConfigurationError) {
        self = try readDocument(text, file: file) {
            Sweep(&$0, file: file)
        } checks: {
            $0.checks()
        }.value
    }

    /// Reads a sweep file.
    package init(contentsOfFile path: String) throws {
        try self.init(yaml: readYAMLText(path), file: path)
    }

    init(_ top: inout SectionReader, file: String) {
        self.file = file
        top.readRequired("base", &base, .path, "The configuration that every run begins with.")
        top.readRequired(
            "directory",
            &directory,
            .path,
            "The folder of the runs' directories, of `sweep.json` and `sweep.html`."
        )
        top.readRequired(
            "grid",
            &grid,
            .grid,
            "Keys of the configuration, dotted as `--set` takes them, each with its values: one run for each "
                + "combination. The last key varies fastest."
        )
        top.read("set", &settings, .settings, "Keys of the configuration, dotted, that have one value in all runs.")
    }
}

/// More runs than this are a mistake.
private let mostRuns = 10_000

extension Sweep {
    /// How many runs it has; nil where they are too many.
    private var count: Int? {
        var count = 1
        for key in grid {
            count *= key.values.count
            guard count <= mostRuns else { return nil }
        }
        return count
    }

    /// What is wrong with a file whose keys are each right.
    private func checks() -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        for key in grid {
            var seen: Set<String> = []
            for value in key.values where !seen.insert(plainText(of: value)).inserted {
                problems.append(
                    .init(location: value.location, message: "\(key.key): \(value.flowText) is given twice")
                )
            }
        }
        for key in grid + settings where key.key == "run.directory" {
            problems.append(
                .init(
                    location: key.values[0].location,
                    message: "run.directory: a sweep names the directories itself, in `directory`; leave the key out"
                )
            )
        }
        for key in settings where grid.contains(where: { $0.key == key.key }) {
            problems.append(
                .init(location: key.values[0].location, message: "\(key.key): is in `grid` too; leave it out of one")
            )
        }
        if count == nil {
            problems.append(.init(location: file, message: "grid: makes more than \(mostRuns) runs; shorten its lists"))
        }
        return problems
    }
}

/// The key table of `docs/sweeps.md`, made from the declarations; a test compares the file's end with this.
package func sweepReference() -> String {
    var top = SectionReader(path: "", node: nil)
    _ = Sweep(&top, file: "")
    return referenceTables(top)
}
