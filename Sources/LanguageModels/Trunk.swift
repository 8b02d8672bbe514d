import Tensors

/// Rows of the residual stream after the last block that a head reads, and their final norm.
///
/// R rows.
struct HiddenRows {
    /// [R, D].
    let input: Tensor
    let mean: Tensor
    let rstd: Tensor
    /// The final norm of input, [R, D], fp32.
    let hidden: Tensor

    /// R.
    var count: Int { input.shape[0] }
}

/// Rows of a pass that one model's adapters and head belong to; the trunk's matrices serve all rows.
struct ModelRun {
    let model: LanguageModel
    let rows: AdaptedRows
    /// Which of the model's rewards is asked for.
    var rewardHead = 0
}

/// A pass through the blocks.
struct TrunkPass {
    let tokens: Int
    /// Each token's place in its sequence.
    let positions: [Int32]
    /// The rows that heads read, in ascending order; nil: all.
    ///
    /// The last block computes no others.
    let rows: [Int32]?
    let runs: [ModelRun]
    /// Of each token, for dropout; nil where nothing is dropped.
    var dropoutKeys: [UInt64]?
    var packed: SamplingWeights?
    /// Of the pass's first block, where it is known.
    var start: SharedQKV?
    /// Whether a backward pass may follow: activations of every block that it visits are kept.
    let recorded: Bool
}

extension LanguageModel {
    /// Runs embeddings and all blocks; returns the read rows of the residual stream, [R, D].
    ///
    /// `attend` reads a block's `qkv` and fills `attended`.
    func trunkForward(tokens: [Int32], _ pass: TrunkPass, attend: (Int, BlockActivations) -> Void) -> Tensor {
        embed(tokens, pass.positions, into: blockActivations(layer: 0, pass).input)
        return runBlocks(0..<configuration.layers, pass, attend: attend)
    }

    /// Runs packed sequences, with causal attention inside each; returns the given rows of the residual stream, [R, D].
    ///
    /// `states`, where given, are those of the trunk's end, which is then not computed again, and `start` what the next
    /// block makes of them first; `end`: nil for the last block. `runs`: nil for this model's own.
    func trunkForward(
        _ sequences: PackedSequences,
        from states: Tensor? = nil,
        start: SharedQKV? = nil,
        upTo end: Int? = nil,
        rows: [Int32],
        runs: [ModelRun]? = nil,
        recorded: Bool
    ) -> Tensor {
        var pass = trunkPass(sequences, rows: rows, runs: runs, recorded: recorded)
        pass.start = start
        if let states {
            precondition(states.shape[0] == pass.tokens, "states of \(states.shape) for \(pass.tokens) tokens")
            blockActivations(layer: trunkBlocks, pass).input.copy(from: states)
        } else {
            embed(sequences.tokens, pass.positions, into: blockActivations(layer: 0, pass).input)
        }
        let blocks = (states == nil ? 0 : trunkBlocks)..<(end ?? configuration.layers)
        return runBlocks(blocks, pass) { $1.attend(sequences.layout) }
    }

    /// A pass over packed sequences of which `rows` are read.
    private func trunkPass(
        _ sequences: PackedSequences,
        rows: [Int32],
        runs: [ModelRun]?,
        recorded: Bool
    ) -> TrunkPass {
        let tokens = sequences.tokens.count
        let runs = runs ?? [ModelRun(model: self, rows: AdaptedRows(all: 0..<tokens, read: 0..<rows.count))]
        let drops = recorded && runs.contains { $0.model.dropsInputs }
        return TrunkPass(
            tokens: tokens,
            positions: sequences.positions,
            rows: rows.count == tokens ? nil : rows,
            runs: runs,
            dropoutKeys: drops ? sequences.prefixHashes : nil,
            recorded: recorded
        )
    }

    /// Adds to all gradients of what is trained below the final norm, given those of the read rows of the residual
    /// stream, [R, D], which are used up.
    private func trunkBackward(_ recording: Recording, dOutput: Tensor) {
        let sequences = recording.sequences
        let pass = trunkPass(sequences, rows: recording.rows, runs: recording.runs, recorded: true)
        let scratch = backwardScratch(tokens: pass.tokens)
        let tensors = NamedTensors(parameters, matrices: parameters.gradients, vectors: parameters.gradients)
        let blockPass = blockPass(tokens: pass.tokens)
        let last = configuration.layers - 1
        var dOutput = dOutput
        for layer in (trunkBlocks..<configuration.layers).reversed() {
            let activations = blockActivations(layer: layer, pass)
            // The last block's are still there.
            if checkpointsActivations && layer < last {
                blocks[layer].forward(
                    activations,
                    blockPass,
                    adapters: adapters(layer: layer, pass),
                    packed: nil,
                    start: nil,
                    into: scratch.narrow.view(at: 0, shape: activations.input.shape)
                ) { $0.attend(sequences.layout) }
            }
            let isLowest = layer == trunkBlocks && trainable != .full
            let dx: Tensor? =
                isLowest ? nil : activations.rows == nil ? dOutput : workspace.dResidual.tensor(activations.input.shape)
            blocks[layer].backward(
                trainable == .full ? Block(configuration, layer: layer, tensors) : nil,
                adapters: adapters(layer: layer, pass),
                activations,
                blockPass,
                sequences: sequences.layout,
                scratch: scratch,
                dOutput: dOutput,
                dx: dx
            )
            if let dx { dOutput = dx }
            if let gradientReady, let start = parameters.start(ofPrefix: configuration.blockPrefix(layer)) {
                gradientReady(start)
            }
        }
        guard trainable == .full else { return }
        embeddingBackward(
            dx: dOutput,
            tokens: sequences.tokens,
            positions: pass.positions,
            tokenGradient: gradient(configuration.tokenEmbeddingName),
            positionGradient: configuration.llama == nil ? gradient("transformer.wpe.weight") : nil
        )
    }

    /// The final norm of rows of the residual stream, [R, D].
    func hiddenRows(of residual: Tensor) -> HiddenRows {
        let rows = residual.shape[0]
        let hidden = HiddenRows(
            input: residual,
            mean: workspace.rowMean.tensor([rows]),
            rstd: workspace.rowRstd.tensor([rows]),
            hidden: workspace.hidden.tensor(residual.shape)
        )
        let gain = value(configuration.finalGainName)
        let epsilon = configuration.normEpsilon
        switch configuration.family {
        case .gpt2:
            layerNormForward(
                x: hidden.input,
                gain: gain,
                bias: value("transformer.ln_f.bias"),
                epsilon: epsilon,
                into: hidden.hidden,
                mean: hidden.mean,
                rstd: hidden.rstd
            )
        case .llama:
            rmsNormForward(x: hidden.input, gain: gain, epsilon: epsilon, into: hidden.hidden, rstd: hidden.rstd)
        }
        return hidden
    }

    /// From the gradient of the final norm's rows, [R, D], down through the trunk.
    func hiddenRowsBackward(_ recording: Recording, dHidden: Tensor) {
        let hidden = recording.hidden
        let dInput = workspace.dRowInput.tensor(hidden.input.shape)
        dInput.fill(0)
        let gain = value(configuration.finalGainName)
        let gainGradient = trunkGradient(configuration.finalGainName)
        switch configuration.family {
        case .gpt2:
            layerNormBackward(
                dy: dHidden,
                x: hidden.input,
                gain: gain,
                mean: hidden.mean,
                rstd: hidden.rstd,
                dx: dInput,
                gainGradient: gainGradient,
                biasGradient: trunkGradient("transformer.ln_f.bias")
            )
        case .llama:
            rmsNormBackward(
                dy: dHidden,
                x: hidden.input,
                gain: gain,
                rstd: hidden.rstd,
                dx: dInput,
                gainGradient: gainGradient
            )
        }
        trunkBackward(recording, dOutput: dInput)
    }

    /// The residual stream before the first block, [N, D].
    func embed(_ tokens: [Int32], _ positions: [Int32], into residual: Tensor) {
        switch configuration.family {
        case .gpt2:
            embeddingForward(
                tokens: tokens,
                positions: positions,
                tokenEmbedding: matrix(configuration.tokenEmbeddingName),
                positionEmbedding: matrix("transformer.wpe.weight"),
                into: residual
            )
        case .llama: gatherRows(matrix(configuration.tokenEmbeddingName), tokens, into: residual)
        }
    }

    /// Runs some of the blocks, the first one's input being in place; returns the residual stream after them: the read
    /// rows [R, D] after the model's last block, else all.
    func runBlocks(_ layers: Range<Int>, _ pass: TrunkPass, attend: (Int, BlockActivations) -> Void) -> Tensor {
        let blockPass = blockPass(tokens: pass.tokens)
        if let rotary = blockPass.rotary {
            rotaryTable(
                positions: pass.positions,
                frequencies: rotaryFrequencies,
                cosines: rotary.cosines,
                sines: rotary.sines
            )
        }
        var activations = blockActivations(layer: layers.lowerBound, pass)
        for layer in layers {
            let next = layer + 1 < configuration.layers ? blockActivations(layer: layer + 1, pass) : nil
            let output = next?.input ?? workspace.output.tensor(activations.middle.shape)
            blocks[layer].forward(
                activations,
                blockPass,
                adapters: adapters(layer: layer, pass),
                packed: pass.packed?.blocks[layer],
                start: layer == layers.lowerBound ? pass.start : nil,
                into: output
            ) {
                attend(layer, $0)
            }
            guard let next else { return output }
            activations = next
        }
        return activations.input
    }

    /// The adapters of each linear layer of a block.
    private func adapters(layer: Int, _ pass: TrunkPass) -> [[LowRankAdapter]] {
        let isLast = layer == configuration.layers - 1
        var afterKeys = pass.dropoutKeys
        if isLast, let keys = afterKeys, let rows = pass.rows { afterKeys = rows.map { keys[Int($0)] } }
        let ofRuns = pass.runs.map { run in
            let rows = LayerRows(
                before: run.rows.all,
                after: isLast ? run.rows.read : run.rows.all,
                beforeKeys: pass.dropoutKeys,
                afterKeys: afterKeys
            )
            return run.model.blockAdapters(layer: layer, rows, packed: pass.packed?.adapters[layer])
        }
        return adapterPlaces[layer].indices.map { linear in ofRuns.flatMap { $0[linear] } }
    }

    private func blockActivations(layer: Int, _ pass: TrunkPass) -> BlockActivations {
        let rows = layer == configuration.layers - 1 ? pass.rows : nil
        guard pass.recorded && layer >= trunkBlocks else {
            return workspace.inference.activations(of: pass.tokens, rows: rows, configuration)
        }
        if checkpointsActivations {
            let input = workspace.checkpoint(layer: layer, [pass.tokens, configuration.width])
            return workspace.inference.activations(of: pass.tokens, rows: rows, input: input, configuration)
        }
        return workspace.recordedActivations(layer: layer, of: pass.tokens, rows: rows, configuration)
    }

    private func blockPass(tokens: Int) -> BlockPass {
        let rotary = configuration.llama.map { shape in
            let angles = [tokens, shape.headWidth / 2]
            return (cosines: workspace.cosines.tensor(angles), sines: workspace.sines.tensor(angles))
        }
        return BlockPass(
            projection: workspace.projection.tensor([tokens * configuration.width]),
            epsilon: configuration.normEpsilon,
            rotary: rotary
        )
    }

    private func backwardScratch(tokens: Int) -> BlockBackwardScratch {
        let narrow = tokens * max(configuration.width, configuration.attentionWidth)
        let normed = configuration.normsOutputs ? configuration.width : 0
        let wide = tokens * max(configuration.innerWidth, configuration.queryKeyValueWidth, normed)
        let copied = precision == .float32 ? 0 : wide
        let gated = configuration.llama == nil ? 0 : 2 * tokens * configuration.innerWidth
        return BlockBackwardScratch(
            narrow: workspace.dNarrow.tensor([narrow]),
            wide: workspace.dWide.tensor([wide]),
            narrowProduct: workspace.narrowProduct.tensor([precision == .float32 ? 0 : narrow]),
            wideProduct: workspace.wideProduct.tensor([max(copied, gated)])
        )
    }
}
