// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import Dispatch
import Glibc
import PacketCapture

/// The program: runs the command that the arguments name, and ends with the status that fits.
public enum Program {
    /// Runs the command and ends the process.
    ///
    /// Ends with 0 when the work is done, 1 when it failed, 2 for bad usage or configuration, 3 for a missing permission.
    ///
    /// The first thread waits here in the ordinary way, rather than in an `async` main: there libdispatch would leave it
    /// ending for good, with privileges that could not be taken from it (`PrivilegeDrop`).
    public static func main() -> Never {
        // Before there is a second thread, as each has settings of its own.
        PrivilegeDrop.forbidNewPrivileges()
        OctetOutput.ignoreBrokenPipes()
        let arguments = Array(CommandLine.arguments.dropFirst())
        // Of the other commands SIGHUP is the terminal's, which ends them.
        if arguments.first == "run" { StartSignals.holdReload() }
        Task.detached { exit(await run(arguments).rawValue) }
        let never = DispatchSemaphore(value: 0)
        while true { never.wait() }
    }

    /// Runs the command that `arguments` name.
    static func run(_ arguments: [String]) async -> ProgramStatus {
        do {
            var command = try Wingmirror.command(of: arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return .done
        } catch let failure as CommandFailure {
            return fail(failure)
        } catch let problems as ConfigurationProblems {
            return fail(CommandFailure(problems))
        } catch let failure as OctetOutput.Failure {
            return end(failure)
        } catch {
            return end(error, arguments)
        }
    }

    private static func fail(_ failure: CommandFailure) -> ProgramStatus {
        for line in failure.lines {
            StandardError.say(line)
        }
        return failure.status
    }

    private static func end(_ failure: OctetOutput.Failure) -> ProgramStatus {
        switch failure {
        case .closed: .done
        case .failed(let reason): fail(CommandFailure(.failed, reason))
        }
    }

    /// Help and version go to standard output; what is wrong with the arguments goes to standard error.
    private static func end(_ error: any Error, _ arguments: [String]) -> ProgramStatus {
        let code = Wingmirror.exitCode(for: error)
        let message = Wingmirror.fullMessage(for: error)
        guard code != .success else {
            var output = OctetOutput.standardOutput()
            do {
                try output.append(line: message)
                try output.flush()
                return .done
            } catch {
                return end(error)
            }
        }
        guard code == .validationFailure else { return fail(CommandFailure(.failed, message)) }
        return fail(CommandFailure(.usage, problem(of: error, in: arguments)))
    }

    /// Says in one line what is wrong with the arguments and where to look.
    ///
    /// The parser would add a synopsis of several lines, in which what is wrong is easily overlooked.
    static func problem(of error: any Error, in arguments: [String]) -> String {
        let (command, unknown) = command(in: arguments)
        if let unknown { return unknown }
        let problem = Wingmirror.message(for: error).split(separator: "\n").joined(separator: " ")
        let hint = problem.hasPrefix("Unexpected argument '") ? options[command].map { ": \($0)" } ?? "" : ""
        return "\(problem)\(hint); see `\(command) --help`"
    }

    /// How commands that take no bare words take what people give them as such.
    private static let options = [
        "wingmirror agents": "agents are named with --agent",
        "wingmirror check": "a configuration is named with --config, and route objects with --routes",
        "wingmirror doctor": "interfaces are named with --interface, and a configuration with --config",
        "wingmirror tap": "an agent is named with --agent",
    ]

    /// The command that the arguments name, and what is wrong where one is named that does not exist; then the nearest name
    /// is suggested.
    private static func command(in arguments: [String]) -> (path: String, unknown: String?) {
        var parent: any ParsableCommand.Type = Wingmirror.self
        var path = "wingmirror"
        for argument in arguments {
            let known = parent.configuration.subcommands
            guard !known.isEmpty, !argument.hasPrefix("-"), argument != "help" else { break }
            let names = known.compactMap { $0.configuration.commandName }
            guard let place = names.firstIndex(of: argument) else {
                let wanted = argument == "version" ? "did you mean `\(path) --version`?" : nil
                let hint = wanted ?? names.similar(to: argument).map { "did you mean `\(path) \($0)`?" }
                let list = hint ?? "there are \(names.joined(separator: ", "))"
                return (path, "there is no command '\(argument.withVisibleControls)'; \(list)")
            }
            parent = known[place]
            path += " \(argument)"
        }
        return (path, nil)
    }
}
