package import Failures
import LanguageModels
import Tensors

extension ModelDirectory {
    /// Writes the model that an adapter makes of its base: each adapted W becomes W + s·Aᵀ·Bᵀ, summed in fp32.
    ///
    /// Weights are BF16 where all of the base's are, else F32; one tensor is held at a time. The adapter of a reward
    /// model makes a reward model. The tokenizer is the base's.
    ///
    /// - Returns: how many parameters the model has.
    /// - Throws: `Failure` as `AdapterDirectory.load` and `load` do, or with `cannotCreate`, `permission` or
    ///   `inputOutput`.
    package static func writeMerged(
        adapter: String,
        base: String,
        to path: String,
        followSymlinks: Bool = false
    ) throws(Failure) -> Int {
        let adapterConfig = try AdapterConfigFile(path: adapter + "/adapter_config.json")
        let configuration = try configuration(base)
        let head: Head = adapterConfig.isRewardModel ? .reward : .none
        let settings = try adapterConfig.settings(for: configuration)
        let own = Parameters(Parameters.layout(configuration, overFrozenTrunk: settings, head: head), head: head)
        try AdapterDirectory.read(adapter, into: own, followSymlinks: followSymlinks)

        let weights = try WeightFiles(directory: base, configuration: configuration, followSymlinks: followSymlinks)
        try Provenance(directory: adapter)?.checkBase(ofAdapter: adapter, base)
        let entries = Parameters.layout(configuration, head: head)
        let places = try weights.match(entries, configuration: configuration)
        let isBFloat16 = places.allSatisfy { $0.location == nil || $0.location?.tensor.type == .bfloat16 }
        let type: StoredType = isBFloat16 ? .bfloat16 : .float32

        func merged(_ number: Int) throws(Failure) -> Tensor {
            let (entry, location) = places[number]
            if let head = own.entry(named: entry.name) { return own.values.view(at: head.offset, shape: head.shape) }
            let weight = Tensor(zeros: entry.shape)
            if let location {
                try SafetensorsFile(path: weights.files[location.file]).read(location.tensor, into: weight)
            }
            own.mergeAdapter(
                of: entry.name,
                scale: settings.scale,
                into: weight,
                isTransposed: configuration.llama != nil
            )
            return weight
        }

        try makeFolder(path)
        try copyTokenizer(from: base, to: path)
        try Provenance.copy(ofAdapter: adapter, to: path)
        let text = ConfigFile.text(configuration, isRewardModel: head == .reward, type: type)
        try writeAtomically(Array(text.utf8), to: path + "/config.json")
        var weight = Tensor(zeros: [0])
        try writeSafetensors(entries.map { ($0.name, $0.shape) }, type, to: path + "/model.safetensors") {
            number,
            range throws(Failure) in
            if range.lowerBound == 0 { weight = try merged(number) }
            return weight.view(at: range.lowerBound, shape: [range.count]).array()
        }
        return entries.last?.range.upperBound ?? 0
    }
}
