// Wingmirror · Apache-2.0

import Foundation
import Testing

/// What installs the agent on Kubernetes.
@Suite(.timeLimit(.minutes(20))) struct DeployTests {
    private static let canRender =
        (try? Program("python3").run(["-c", "import helm_python, kubernetes_validate, yaml"]).status) == 0

    @Test(.enabled(if: canRender, "pip install helm-python-sdk kubernetes-validate pyyaml"))
    func `the chart renders as its golden files, the kustomizations build, and all of it is valid`() throws {
        let script = Repository.root.appending(path: "samples/kubernetes/check_deploy.py")
        let result = try Program("python3").run(["-B", script.path])
        #expect(result.status == 0, "\(result.output)")
    }
}
