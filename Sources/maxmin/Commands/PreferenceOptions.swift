import ArgumentParser
import ModelTools
import Preferences

/// How a preference file is read.
struct PreferenceOptions: ParsableArguments {
    @Option(help: "The published data set whose rows the file has.")
    var preset: DataPreset?

    @Option(
        help: ArgumentHelp(
            "Where our fields are, as data.fields of a configuration: \"{prompt: question, user_id: worker}\".",
            valueName: "yaml"
        )
    )
    var fields: String?

    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "A configuration: its section data says how the file is read, its model.path how long texts are.",
            valueName: "file"
        )
    )
    var configuration: String?

    func validate() throws {
        guard preset == nil || fields == nil else { throw ValidationError("--preset and --fields exclude each other") }
    }

    func request(overrides: [String] = []) -> PreferenceRequest {
        var request = PreferenceRequest()
        request.preset = preset
        request.fields = fields
        request.configuration = configuration
        request.overrides = overrides
        return request
    }
}

extension DataPreset: ExpressibleByArgument {}
