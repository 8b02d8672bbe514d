import Tensors

/// Keys and values of the tokens so far, per layer and sequence.
///
/// Kept between calls of `sample`; grows, never shrinks.
struct KeyValueCache {
    private var keys: [Scratch] = []
    private var values: [Scratch] = []

    /// A layer's keys and values, [slots, capacity, K·d] each.
    mutating func tensors(layer: Int, slots: Int, capacity: Int, width: Int) -> (keys: Tensor, values: Tensor) {
        while keys.count <= layer {
            keys.append(Scratch())
            values.append(Scratch())
        }
        let shape = [slots, capacity, width]
        return (keys[layer].tensor(shape), values[layer].tensor(shape))
    }
}

/// Copies the keys and values of packed prompts, N rows of `qkv`, to the start of each one's slots.
func storePrompts(qkv: AttentionInput, _ prompts: PackedSequences, slots: [Range<Int>], keys: Tensor, values: Tensor) {
    let width = keys.shape[2]
    for (prompt, slot) in slots.enumerated().flatMap({ prompt, slots in slots.map { (prompt, $0) } }) {
        let rows = prompts.rows(of: prompt)
        let start = slot * keys.shape[1] * width
        let shape = [rows.count, width]
        let (keys, values) = (keys.view(at: start, shape: shape), values.view(at: start, shape: shape))
        switch qkv.layout {
        case .sideBySide:
            let thirds = qkv.tensor.view(at: 0, shape: [3 * qkv.rows, width])
            gatherRows(thirds, rows.map { Int32(3 * $0 + 1) }, into: keys)
            gatherRows(thirds, rows.map { Int32(3 * $0 + 2) }, into: values)
        case .apart:
            keys.copy(from: qkv.keys.rows(rows))
            values.copy(from: qkv.values.rows(rows))
        }
    }
}
