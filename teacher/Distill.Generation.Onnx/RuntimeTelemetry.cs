using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Distill.Generation.Onnx;

/// <summary>
/// ONNX Runtime and ONNX Runtime GenAI report their use to their maker (OneCollector) and keep a database for it in the user's cache
/// folder unless they are told not to before they are loaded. Distill tells them: what runs on a machine is nobody else's business.
/// </summary>
internal static partial class RuntimeTelemetry
{
    private const string Switch = "ORT_DISABLE_TELEMETRY";

    /// <summary>Loads ONNX Runtime with its reports off. Safe from any thread; works once, the first time.</summary>
    public static OrtEnv Runtime => Loaded.Value;

    private static readonly Lazy<OrtEnv> Loaded = new(() =>
    {
        // .NET keeps an environment of its own, which native code does not see outside Windows.
        Environment.SetEnvironmentVariable(Switch, "1");
        if (!OperatingSystem.IsWindows()) _ = SetEnvironment(Switch, "1", 1);
        var runtime = OrtEnv.Instance();
        runtime.DisableTelemetryEvents();
        return runtime;
    });

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
