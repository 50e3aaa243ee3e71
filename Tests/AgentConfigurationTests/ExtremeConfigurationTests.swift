// Wingmirror · Apache-2.0
// Numbers at the ends of what there is.

import Foundation
import JSONSyntax
import TestSupport
import Testing
import TrafficPipeline

@testable import AgentConfiguration

/// Every number of the sample configurations, replaced by those at which arithmetic ends.
@Suite struct ExtremeConfigurationTests {
    private static let numbers = [
        "0", "-1", "65536", "4294967296", "9223372036854775807", "-9223372036854775808", "18446744073709551616",
        "1e300",
        "-1e300", "1e-300", ".nan", ".inf", "9223372036854775807GiB", "4294967295h4294967295m4294967295s4294967295ms",
        "99999999999999999999s", "106751991167301d",
    ]

    @Test(
        .timeLimit(.minutes(20)),
        arguments: ["wingmirror.yaml", "wingmirror-live.yaml", "wingmirror-mirror.yaml", "keylog/wingmirror-tls.yaml"]
    )
    func `a number is taken or refused with its place, and what is taken can be used`(name: String) throws {
        let text = try String(contentsOfFile: Repository.path + "/samples/" + name, encoding: .utf8)
        var taken = 0
        var refused = 0
        for range in text.ranges(of: /[0-9][0-9A-Za-z.\/]*/) {
            for number in Self.numbers {
                var changed = text
                changed.replaceSubrange(range, with: number)
                do throws(ConfigurationProblems) {
                    use(try Configuration.parse(changed, file: name))
                    taken += 1
                } catch {
                    #expect(error.problems.allSatisfy { $0.description.hasPrefix(name + ":") }, "\(number)")
                    refused += 1
                }
            }
        }
        #expect(taken > 0 && refused > 0)
    }

    @Test func `settings that are not in the samples are taken or refused`() throws {
        let settings = [
            "limits: {memory: N}", "limits: {connections: N}", "limits: {headBytes: N}", "limits: {idleTimeout: N}",
            "limits: {bufferedBytesPerConnection: N}", "records: {file: a, contentBytes: N}",
            "records: {file: a, rotate: {bytes: N}}", "records: {file: a, rotate: {age: N}}",
            "records: {file: a, rotate: {keep: N}}", "capture: {snapshotLength: N}", "capture: {workers: N}",
            "capture: {ringBytes: N}", "metrics: {durationBuckets: [N]}", "metrics: {seriesLimit: N}",
            "metrics: {listen: \"127.0.0.1:N\"}", "gateway: {ports: [{pod: N, server: N}]}",
            "gateway: {trustedProxies: N}",
            "tls: {patience: N}", "tls: {heldBytes: N}", "mirror: {memory: N}",
            "mirror: {protection: {kernelDrops: N, memory: N, cpu: N, rest: N}}",
            "mirror: {targets: {a: {url: \"http://h:N\", hosts: [h], rate: N/s, inFlight: N, bytes: N, timeout: N}}}",
        ]
        for setting in settings {
            for number in Self.numbers {
                do throws(ConfigurationProblems) {
                    use(try Configuration.parse(setting.replacing("N", with: number), file: "w.yaml"))
                } catch {
                    #expect(!error.problems.isEmpty)
                }
            }
        }
    }

    /// Does the arithmetic that the settings are for.
    private func use(_ configuration: Configuration) {
        for budget in [nil, configuration.limits.memory?.octets, 1, Int.max] {
            let limits = configuration.pipelineLimits(within: budget)
            let estimate = MemoryEstimate(configuration, limits.reassembly, lines: configuration.metrics.seriesLimit)
            #expect(estimate.octets >= 0)
            if let budget { #expect(configuration.recentLimits(within: budget).exchanges > 0) }
        }
        #expect(!configuration.document.indented().isEmpty)
    }
}
