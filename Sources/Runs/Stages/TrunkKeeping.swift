package import ModelFiles
import RewardMixture

extension SpillFile: SpillStorage {}

extension RunContext {
    /// Where the trunk's states of comparisons are kept, as `run.trunk_cache` says.
    func trunkCache() throws -> TrunkCache {
        let keys = configuration.run
        guard keys.trunkCache else { return TrunkCache() }
        return TrunkCache(bytes: keys.trunkCacheMemory << 20, spill: try SpillFile(in: directory.path))
    }
}
