import Tensors

/// Keys and values of the tokens so far, per layer and sequence.
///
/// Kept between calls of `sample`; grows, never shrinks.
struct KeyValueCache {
    private var keys: [Scratch]
    private var values: [Scratch]

    init(layers: Int) {
        keys = Array(repeating: Scratch(), count: layers)
        values = Array(repeating: Scratch(), count: layers)
    }

    /// A layer's keys and values, [slots, capacity, D] each.
    mutating func tensors(layer: Int, slots: Int, capacity: Int, width: Int) -> (keys: Tensor, values: Tensor) {
        let shape = [slots, capacity, width]
        return (keys[layer].tensor(shape), values[layer].tensor(shape))
    }
}

/// Copies the keys and values of packed prompts, side by side in `qkv` [N, 3D], to the start of each one's slot.
func storePrompts(qkv: Tensor, _ prompts: PackedSequences, keys: Tensor, values: Tensor) {
    let width = keys.shape[2]
    let thirds = qkv.view(at: 0, shape: [3 * qkv.shape[0], width])
    for prompt in 0..<prompts.count {
        let rows = prompts.rows(of: prompt)
        let start = prompt * keys.shape[1] * width
        let shape = [rows.count, width]
        gatherRows(thirds, rows.map { Int32(3 * $0 + 1) }, into: keys.view(at: start, shape: shape))
        gatherRows(thirds, rows.map { Int32(3 * $0 + 2) }, into: values.view(at: start, shape: shape))
    }
}
