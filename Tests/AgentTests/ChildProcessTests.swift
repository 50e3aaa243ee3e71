// Wingmirror · Apache-2.0

import ChildProcesses
import Foundation
import Testing

/// Programs that are started and waited for.
@Suite(.timeLimit(.minutes(20)))
struct ChildProcessTests {
    /// Runs a shell script, and gives back its status with what it wrote.
    private func run(
        _ script: String,
        environment: [String: String]? = nil,
        in folder: String? = nil
    ) throws -> (status: Int32, text: String) {
        let output = Pipe()
        let process = try ChildProcess(
            ["sh", "-c", script],
            environment: environment,
            in: folder,
            .init(output: output.fileHandleForWriting.fileDescriptor)
        )
        try output.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return (process.waitUntilExit(), text)
    }

    @Test(arguments: [0, 1, 127, 255])
    func `the exit status is the program's`(status: Int32) throws {
        #expect(try run("exit \(status)").status == status)
    }

    @Test func `the end by a signal has the signal's number`() throws {
        #expect(try run("kill -TERM $$").status == SIGTERM)
        let sleeping = try ChildProcess(["sleep", "600"])
        #expect(sleeping.isRunning)
        sleeping.end()
        #expect(!sleeping.isRunning)
    }

    @Test func `variables and folder are those that were given`() throws {
        let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
        let variables = ["PATH": "/usr/bin:/bin", "WORD": "with = and spaces"]
        let run = try run("printf '%s|%s|%s' \"$WORD\" \"$HOME\" \"$(pwd -P)\"", environment: variables, in: folder)
        #expect(run.text == "with = and spaces||\(folder)")
    }

    @Test func `a program inherits the three streams and no descriptor more`() throws {
        let files = [Pipe(), Pipe(), Pipe()]
        // The listing itself has one more, of the folder.
        let run = try run("ls /proc/self/fd | tr '\\n' ' '")
        #expect(run.text == "0 1 2 3 ")
        for file in files { try file.fileHandleForWriting.close() }
    }

    @Test func `input without a file is empty`() throws {
        #expect(try run("wc -c").text.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
    }

    @Test func `a program that is not there is an error in the system's words`() {
        #expect {
            try ChildProcess(["/no/such/program"])
        } throws: {
            "\($0)" == "No such file or directory"
        }
        #expect(throws: ChildProcess.Unavailable.self) { try ChildProcess([]) }
    }

    @Test func `what a program writes is collected to its end, whatever its length and its status`() throws {
        let environment = ["PATH": "/usr/bin:/bin", "WORD": "word"]
        let script = "echo $WORD; head -c 300000 /dev/zero; echo lost >&2; exit 3"
        let run = try ChildProcess.run(["sh", "-c", script], environment: environment, errors: -1)
        #expect(run.exitStatus == 3)
        #expect(run.output.count == 300_005 && run.output.starts(with: "word\n".utf8))
        #expect(throws: ChildProcess.Unavailable.self) {
            try ChildProcess.run(["/no/such/program"], environment: [:], errors: -1)
        }
    }
}
