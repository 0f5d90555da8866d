using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Distill.GpuCheck;

/// <summary>
/// Runs the parts one after another, each in a process of its own with a limit of its own: a fault of native code, or a part that does not
/// come back, costs that part and hides no other.
/// </summary>
internal static class CheckSession
{
    public static JsonObject Run(
        CheckOptions options, IReadOnlyList<ICheckPart> all, TimeProvider clock, Action<string> log, CancellationToken cancellation)
    {
        long began = clock.GetTimestamp();
        var parts = new JsonArray();
        foreach (var part in all.Where(part => options.Parts.Count == 0 || options.Parts.Contains(part.Name)))
        {
            if (cancellation.IsCancellationRequested) break;
            log($"{part.Name}: {part.Question} (at most {part.Limit} s)");
            var result = PartRun.Apart(part, options, clock, cancellation);
            string outcome = result["fault"]?.ToString() ?? result["passed"] switch
            {
                null => "measured",
                var passed => passed.GetValue<bool>() ? "yes" : "no",
            };
            log($"  {outcome} ({result["seconds"]} s)");
            parts.Add(result);
        }

        return new JsonObject
        {
            ["device"] = options.Device.ToString(),
            ["small"] = options.IsSmall,
            ["at"] = clock.GetUtcNow().ToString("u"),
            ["seconds"] = Math.Round(clock.GetElapsedTime(began).TotalSeconds, 1),
            ["passed"] = parts.Count > 0 && parts.All(part => part!["fault"] is null && part["passed"]?.GetValue<bool>() != false),
            ["parts"] = parts,
        };
    }
}

/// <summary>One part: in this process, or in one that is started for it.</summary>
internal static class PartRun
{
    private const int LongestFault = 2000;

    /// <summary>Whatever the part throws becomes part of its report.</summary>
    public static JsonObject Here(string name, CheckOptions options)
    {
        var part = CheckParts.All.Single(each => each.Name == name);
        try
        {
            using var context = new CheckContext(options.Device, TimeProvider.System, Console.Error.WriteLine);
            var (passed, figures) = part.Run(context);
            return new JsonObject { ["passed"] = passed, ["figures"] = figures };
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            return new JsonObject { ["passed"] = false, ["fault"] = Short(fault.ToString(), fromStart: true) };
        }
    }

    public static JsonObject Apart(ICheckPart part, CheckOptions options, TimeProvider clock, CancellationToken cancellation)
    {
        long began = clock.GetTimestamp();
        using var process = Process.Start(StartOf(part, options))!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(part.Limit));
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var error = process.StandardError.ReadToEndAsync(CancellationToken.None);
        string? fault = null;
        try
        {
            process.WaitForExitAsync(limit.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            fault = cancellation.IsCancellationRequested ? "interrupted" : $"not done after {part.Limit} s";
        }

        string said = Short(error.Result.Trim());
        string why = (fault ?? $"ended with {process.ExitCode}") + (said.Length > 0 ? $": {said}" : "");
        var result = ResultOf(output.Result, why, fault is not null);
        result.Insert(0, "part", part.Name);
        result.Insert(1, "seconds", Math.Round(clock.GetElapsedTime(began).TotalSeconds, 1));
        return result;
    }

    private static ProcessStartInfo StartOf(ICheckPart part, CheckOptions options)
    {
        // A published program starts itself; otherwise it is whoever loaded its assembly.
        string assembly = typeof(PartRun).Assembly.Location, self = Environment.ProcessPath!;
        bool isProgram = Path.GetFileNameWithoutExtension(self) == Path.GetFileNameWithoutExtension(assembly);
        var start = new ProcessStartInfo(isProgram ? self : "dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        if (!isProgram) start.ArgumentList.Add(assembly);
        foreach (string word in (string[])["--device", options.Device.ToString(), CheckOptions.InsideOption, part.Name])
            start.ArgumentList.Add(word);
        return start;
    }

    // The last line is the result; native libraries may have written before it.
    private static JsonObject ResultOf(string output, string fault, bool isOver)
    {
        string last = output.TrimEnd().Split('\n')[^1];
        if (!isOver && last.StartsWith('{') && JsonNode.Parse(last) is JsonObject result) return result;
        return new JsonObject { ["passed"] = false, ["fault"] = fault };
    }

    // An exception says at its start what is wrong, a process that died at its end.
    private static string Short(string text, bool fromStart = false) =>
        text.Length <= LongestFault ? text : fromStart ? text[..LongestFault] : text[^LongestFault..];
}
