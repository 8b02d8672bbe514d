import LanguageModels
import Randomness

func generateWork(_ model: LanguageModel, _ size: BenchSize) -> BenchWork {
    let prompts = randomSequences(size.batch, length: size.prompt, vocabulary: model.configuration.vocabularySize)
    let streams = (0..<size.batch).map { CounterRandom(seed: 1, purpose: .sampling, item: $0) }
    let options = SamplingOptions(maxNewTokens: size.new, stop: nil)
    return BenchWork(
        run: { _ in _ = model.sample(prompts: prompts, options: options, streams: streams) },
        tokens: size.batch * size.new,
        operations: forwardOperations(
            model.configuration,
            tokens: size.batch * (size.prompt + size.new),
            read: size.batch * (1 + size.new)
        ) + Double(size.batch * size.new) * vocabularyOperations(model.configuration)
    )
}
