import StrictYAML

/// One run of a sweep.
package struct SweepRun: Sendable {
    /// Its place in the grid, from 1.
    package let index: Int
    /// Of its directory, made of its values.
    package let name: String
    /// The values that the grid gives it, as YAML.
    package let values: [(key: String, text: String)]
    /// What tells it from runs that differ in more than `run.seed`: its name without the seed.
    package let seriesName: String
    /// `--set` options that make it of the base configuration, the directory's the last.
    package let overrides: [String]
    /// Checked.
    package let configuration: Configuration

    /// Where it lies.
    package var directory: RunDirectory { RunDirectory(path: configuration.run.directory) }
}

extension Sweep {
    /// Every run, in order, with its configuration checked.
    ///
    /// - Parameter overrides: `--set` options for all runs, of keys that are not in the grid.
    /// - Throws: `ConfigurationError` with all that is wrong with any run's configuration, at this file's lines;
    ///   `Failure` where the base cannot be read.
    package func runs(overrides: [String] = []) throws -> [SweepRun] {
        try requireFree(overrides)
        let text = try readYAMLText(base)
        var problems: [ConfigurationProblem] = []
        var runs: [SweepRun] = []
        for values in combinations {
            do throws(ConfigurationError) {
                runs.append(try run(number: runs.count + 1, of: text, values, overrides: overrides))
            } catch {
                // The same value is wrong in many runs.
                for problem in error.problems where !problems.contains(problem) { problems.append(problem) }
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        guard Set(runs.map(\.name)).count == runs.count else {
            throw ConfigurationError(problems: [
                .init(location: file, message: "grid: two runs come to the same directory; change a value")
            ])
        }
        return runs
    }

    /// Refuses options of keys that the sweep itself sets.
    private func requireFree(_ overrides: [String]) throws(ConfigurationError) {
        let taken = grid.map(\.key) + ["run.directory"]
        let problems = overrides.compactMap { option -> ConfigurationProblem? in
            guard let key = taken.first(where: { option.hasPrefix("\($0)=") }) else { return nil }
            return .init(location: "--set \(option)", message: "\(file) sets \(key) for each run; change it there")
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
    }

    /// All combinations of values; the last key varies fastest.
    private var combinations: [[(key: String, value: YAMLNode)]] {
        grid.reduce([[]]) { rows, key in
            rows.flatMap { row in key.values.map { value in row + [(key.key, value)] } }
        }
    }

    private func run(
        number: Int,
        of text: String,
        _ values: [(key: String, value: YAMLNode)],
        overrides: [String]
    ) throws(ConfigurationError) -> SweepRun {
        let keys = grid.map(\.key)
        let name = runName(values, among: keys)
        let stated = settings.map { ($0.key, $0.values[0]) }
        let varied = values.map { ($0.key, $0.value) }
        // What messages call an option, and where it stands.
        var places: [String: String] = [:]
        func options(_ pairs: [(String, YAMLNode)]) -> [String] {
            pairs.map { key, value in
                let option = "\(key)=\(value.flowText)"
                places["--set \(option)"] = value.location
                return option
            }
        }
        let place = "run.directory=\(quotedYAML("\(directory)/\(name)"))"
        places["--set \(place)"] = file
        let all = options(stated) + overrides + options(varied) + [place]
        do throws(ConfigurationError) {
            let configuration = try Configuration(yaml: text, file: base, overrides: all)
            let series = values.filter { $0.key != "run.seed" }
            return SweepRun(
                index: number,
                name: name,
                values: values.map { ($0.key, $0.value.flowText) },
                seriesName: series.isEmpty ? "all" : runName(series, among: keys),
                overrides: all,
                configuration: configuration
            )
        } catch {
            throw ConfigurationError(
                problems: error.problems.map { problem in
                    // What no single place is at fault for, one run's values are.
                    guard let location = problem.location else {
                        return .init(location: file, message: "\(name): \(problem.message)")
                    }
                    return .init(location: places[location] ?? location, message: problem.message)
                }
            )
        }
    }
}
