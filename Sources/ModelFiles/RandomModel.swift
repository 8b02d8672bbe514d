package import Failures
import Foundation
package import LanguageModels

extension ModelDirectory {
    /// Writes a randomly initialized language model without ever holding it: F32 with GPT-2, else BF16.
    ///
    /// The weights are those of `LanguageModel(…, seed:)`, rounded to the type. The tokenizer files of another
    /// directory are copied where one is given.
    ///
    /// - Returns: how many parameters there are.
    /// - Throws: `Failure` with `cannotCreate`, `permission` or `inputOutput`.
    package static func writeRandom(
        _ configuration: ModelConfiguration,
        seed: UInt64,
        to path: String,
        tokenizerFrom source: String?
    ) throws(Failure) -> Int {
        let type: StoredType = configuration.llama == nil ? .float32 : .bfloat16
        let entries = Parameters.layout(configuration, head: .none)
        try copyTokenizer(from: source, to: path)
        let text = ConfigFile.text(configuration, isRewardModel: false, type: type)
        try writeAtomically(Array(text.utf8), to: path + "/config.json")
        var initial: InitialValues?
        try writeSafetensors(
            entries.map { ($0.name, $0.shape) },
            type,
            to: path + "/model.safetensors"
        ) { tensor, range in
            var values =
                range.lowerBound > 0
                ? initial : InitialValues(entries[tensor], index: tensor, configuration, seed: seed)
            var buffer = [Float](repeating: 0, count: range.count)
            var span = buffer.mutableSpan
            values?.fill(&span)
            initial = values
            return buffer
        }
        return entries.last?.range.upperBound ?? 0
    }
}
