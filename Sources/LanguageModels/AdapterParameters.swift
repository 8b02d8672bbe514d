import Foundation
import Randomness
package import Tensors

/// Where the two matrices of one adapter are in the flat vector.
struct AdapterPlace {
    let a: Parameters.Entry
    let b: Parameters.Entry
}

extension AdapterSettings {
    /// Name and shape of the adapters' matrices, block by block: A [r, D_in], then B [D_out, r], of each adapted layer.
    ///
    /// Names are those of PEFT without its prefix `base_model.model.`.
    func shapes(_ configuration: ModelConfiguration) -> [(String, [Int])] {
        adaptedBlocks(of: configuration).flatMap { block in
            configuration.linearLayers.filter(adapts).flatMap { layer in
                let name = configuration.blockPrefix(block) + layer.name
                return [
                    (name + ".lora_A.weight", [rank, layer.inputs]), (name + ".lora_B.weight", [layer.outputs, rank]),
                ]
            }
        }
    }
}

extension Parameters {
    /// The adapter of a linear layer, by the layer's full name (`model.layers.0.mlp.up_proj`); nil where it has none.
    func adapterPlace(of layer: String) -> AdapterPlace? {
        guard let a = entry(named: layer + ".lora_A.weight"), let b = entry(named: layer + ".lora_B.weight") else {
            return nil
        }
        return AdapterPlace(a: a, b: b)
    }

    /// Adds the adapter of a matrix to it, where there is one: W += s·Aᵀ·Bᵀ, or s·B·A where W is [D_out, D_in].
    ///
    /// - Parameters:
    ///   - name: the matrix's name, `model.layers.0.mlp.up_proj.weight`.
    ///   - weight: W, fp32.
    ///   - isTransposed: whether W is [D_out, D_in], as with Llama.
    package func mergeAdapter(of name: String, scale: Float, into weight: Tensor, isTransposed: Bool) {
        guard let location = adapterPlace(of: String(name.dropLast(".weight".count))) else { return }
        let scaled = tensor(location.b.name, in: values).copied()
        Tensors.scale(scaled, by: scale)
        let down = tensor(location.a.name, in: values)
        if isTransposed {
            multiply(scaled, down, into: weight, accumulate: true)
        } else {
            multiply(down, transposed: true, scaled, transposed: true, into: weight, accumulate: true)
        }
    }
}

/// The rows of a pass that a model's adapters change: of all tokens, and of those that are read after the last block.
struct AdaptedRows {
    let all: Range<Int>
    let read: Range<Int>
}

/// The rows that the adapters of a block change, with a key for dropout for each of the pass's rows where it drops
/// something.
struct LayerRows {
    /// Of the layers before attention.
    let before: Range<Int>
    /// Of those after it.
    let after: Range<Int>
    var beforeKeys: [UInt64]?
    var afterKeys: [UInt64]?
}

extension LanguageModel {
    /// The adapters of a block, one for each of its linear layers; nil where a layer has none.
    static func adapterPlaces(_ configuration: ModelConfiguration, _ parameters: Parameters) -> [[AdapterPlace?]] {
        (0..<configuration.layers).map { block in
            configuration.linearLayers.map { parameters.adapterPlace(of: configuration.blockPrefix(block) + $0.name) }
        }
    }

    /// The adapters of each linear layer of a block; none where a layer has none.
    func blockAdapters(layer: Int, _ rows: LayerRows, packed: [PackedAdapter?]? = nil) -> [[LowRankAdapter]] {
        guard let adapters else { return adapterPlaces[layer].map { _ in [] } }
        let drops = rows.beforeKeys != nil && dropsInputs
        let tokens = max(rows.before.upperBound, rows.after.upperBound)
        let widest = max(configuration.innerWidth, configuration.queryKeyValueWidth, configuration.width)
        let scratch = LowRankAdapter.Scratch(
            inner: workspace.lowRank.tensor([tokens * adapters.rank]),
            innerProduct: workspace.lowRankProduct.tensor([precision == .float32 ? 0 : tokens * adapters.rank]),
            update: workspace.lowRankUpdate.tensor([packed == nil && !drops ? 0 : tokens * widest]),
            dropped: workspace.lowRankDropped.tensor([drops ? tokens * widest : 0])
        )
        let values = productCopy ?? parameters.values
        return adapterPlaces[layer].enumerated().map { index, location in
            guard let location else { return [] }
            let isBefore = index < configuration.attentionInputLayers
            let own = isBefore ? rows.before : rows.after
            let keys = isBefore ? rows.beforeKeys : rows.afterKeys
            return [
                LowRankAdapter(
                    rows: own,
                    a: values.view(at: location.a.offset, shape: location.a.shape),
                    b: values.view(at: location.b.offset, shape: location.b.shape),
                    gradients: { [parameters] in
                        let gradients = parameters.gradients
                        return (
                            gradients.view(at: location.a.offset, shape: location.a.shape),
                            gradients.view(at: location.b.offset, shape: location.b.shape)
                        )
                    },
                    scale: adapters.scale,
                    packed: packed?[index],
                    dropout: drops ? keys.map { dropout(layer: layer, index, keys: $0[own]) } : nil,
                    scratch: scratch
                )
            ]
        }
    }

    /// The choice of an adapter in this step, by its rows' keys.
    private func dropout(layer: Int, _ index: Int, keys: ArraySlice<UInt64>) -> Dropout {
        var random = CounterRandom(seed: adapterDropoutKey ?? 0, purpose: .dropout, step: layer, item: index)
        let own = random.next()
        return Dropout(probability: adapters?.dropout ?? 0, keys: keys.map { $0 ^ own })
    }

    /// Draws the adapters anew: A from U(−1/√D_in, 1/√D_in), which is PEFT's start (`kaiming_uniform_` with a = √5); B
    /// is 0, so that the model starts as its base.
    ///
    /// An adapter's start does not depend on which others there are.
    func initializeAdapters(seed: UInt64) {
        for (block, places) in adapterPlaces.enumerated() {
            for case (let index, let location?) in places.enumerated() {
                var random = CounterRandom(seed: seed, purpose: .adapters, step: block, item: index)
                let bound = 1 / Double(location.a.shape[1]).squareRoot()
                parameters.values.view(at: location.a.offset, shape: location.a.shape).withMutableSpan { a in
                    for i in a.indices { a[i] = Float(bound * (2 * random.uniform() - 1)) }
                }
                parameters.values.view(at: location.b.offset, shape: location.b.shape).fill(0)
            }
        }
        parametersDidChange()
    }
}
