import Collectives
import Failures
import Testing

struct LaunchTests {
    @Test func aProcessByItself() throws {
        #expect(try Launch.detect(in: ["PATH": "/bin"]) == nil)
    }

    @Test func underMpirun() throws {
        let launch = try #require(
            try Launch.detect(in: ["OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_SIZE": "2", "PMIX_RANK": "0"])
        )
        #expect(launch.ranks == 4)
        #expect(launch.ranksOnNode == 2)
    }

    @Test func underSrunWithPMIx() throws {
        let launch = try #require(
            try Launch.detect(in: [
                "PMIX_RANK": "3", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "11",
                "SLURM_STEP_TASKS_PER_NODE": "3,4(x2)",
            ])
        )
        #expect(launch.ranks == 11)
        #expect(launch.ranksOnNode == 4)
    }

    @Test func aBatchScriptIsNotALauncher() throws {
        #expect(try Launch.detect(in: ["SLURM_JOB_ID": "5", "SLURM_PROCID": "0", "SLURM_NTASKS": "4"]) == nil)
        #expect(try Launch.detect(in: ["SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "1"]) == nil)
    }

    @Test func srunWithoutMPIIsAnError() {
        let failure = #expect(throws: Failure.self) {
            try Launch.detect(in: ["SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "1"])
        }
        #expect(failure?.code == .usage)
        #expect(failure?.message.contains("--mpi=pmix") == true)
    }
}
