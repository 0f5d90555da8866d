using System.Text.Json;
using System.Text.Json.Nodes;
using Distill.GpuCheck;

CheckOptions options;
try
{
    options = CheckOptions.Parse(args);
}
catch (ArgumentException fault)
{
    Console.Error.WriteLine(fault.Message);
    return 2;
}

if (options.Only is { } only) // one part, in a process of its own
{
    Console.WriteLine(PartRun.Here(only, options).ToJsonString());
    return 0;
}

using var cancellation = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    cancellation.Cancel();
};
JsonObject report = CheckSession.Run(options, CheckParts.All, TimeProvider.System, Console.Error.WriteLine, cancellation.Token);
string text = report.ToJsonString(new JsonSerializerOptions
    { WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
Console.WriteLine(text);
if (options.OutputFile is { } file) File.WriteAllText(file, text + "\n");
return report["passed"]!.GetValue<bool>() ? 0 : 1;
