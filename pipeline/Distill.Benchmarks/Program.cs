using System.Globalization;
using Distill.Benchmarks;
using Distill.Benchmarks.Exporting;
using Distill.Benchmarks.Training;

if (args is [ExportProbe.Command, var checkpoint, var target])
{
    Console.WriteLine(ExportProbe.Run(checkpoint, target, TimeProvider.System));
    return 0;
}

if (args is [MemoryProbe.Command, var name])
{
    Console.WriteLine(MemoryProbe.Run(name).ToString(CultureInfo.InvariantCulture));
    return 0;
}

BenchmarkOptions options;
try
{
    options = BenchmarkOptions.Parse(args, [.. BenchmarkList.All.Select(benchmark => benchmark.Name)]);
}
catch (ArgumentException fault)
{
    Console.Error.WriteLine(fault.Message);
    return 2;
}

if (options.Names.Count == 0)
{
    foreach (var benchmark in BenchmarkList.All) Console.WriteLine($"{benchmark.Name,-14} {benchmark.Summary}");
    return 0;
}

string table = BenchmarkSession.Run(options, BenchmarkList.All, TimeProvider.System, Console.Error.WriteLine);
Console.WriteLine(table);
if (options.OutputFile is { } file)
{
    Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
    File.WriteAllText(file, table);
}

return 0;
