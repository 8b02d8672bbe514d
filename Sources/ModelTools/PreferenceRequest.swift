import Failures
import LanguageModels
import ModelFiles
package import Preferences
import Runs
import StrictYAML
import Text

/// How a command reads a preference file: as a configuration says, or by a preset or a mapping of fields.
package struct PreferenceRequest: Sendable {
    /// A data set whose rows the file has.
    package var preset: DataPreset?
    /// Where our fields are, as YAML in the form of `data.fields`.
    package var fields: String?
    /// A configuration whose section `data` says the rest.
    package var configuration: String?
    /// `--set` options over it.
    package var overrides: [String] = []

    /// Reads rows of our own form.
    package init() {}

    /// Whether it says that a file has preferences, and not what else the configuration names.
    func namesRows(of path: String) throws -> Bool {
        if preset != nil || fields != nil { return true }
        guard let data = try loadConfiguration()?.data, data.mapping != nil else { return false }
        return path != data.prompts && path != data.text
    }

    /// The configuration, where one is named.
    func loadConfiguration() throws -> Configuration? {
        guard let path = configuration else { return nil }
        return try Configuration(yaml: readYAMLText(path), file: path, overrides: overrides)
    }

    /// What `loadPreferences` is told.
    func options(_ configuration: Configuration?, encoding: ChatEncoding?) throws(Failure) -> LoadOptions {
        let template = encoding?.template ?? configuration?.data.chatTemplate ?? .none
        var options = configuration?.data.loadOptions(template) ?? LoadOptions(template: template)
        if let fields { options.mapping = try fieldMapping(yaml: fields) }
        if let preset { options.mapping = preset.mapping }
        return options
    }
}

extension Configuration {
    /// How the tokens of the model are text, where the model is there already.
    func encoding() throws -> (encoding: ChatEncoding, positions: Int, endOfText: Int32?)? {
        guard let path = model.path else { return nil }
        let shape = try ModelDirectory.configuration(path)
        let encoding = try ChatEncoding(
            Tokenizer(directory: path),
            data.chatTemplate,
            endOfText: shape.endOfText
        )
        return (encoding, shape.contextLength, shape.endOfText ?? encoding.endOfTurn)
    }
}
