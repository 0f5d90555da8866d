using System.CommandLine;
using System.Text;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Cli.Parsing;
using Distill.Pipeline.Launching;
using Distill.Pipeline.Recipes;
using Distill.Storage;

namespace Distill.Cli.Commands;

/// <summary><c>distill launch</c>: writes the job file with which a cluster runs a recipe in shards. Submits nothing.</summary>
internal sealed class LaunchCommand : DistillCommand
{
    private const string DefaultImage = "distill:latest", DefaultClaim = "distill";

    private readonly Argument<string> recipe = RunArguments.RecipeArgument();
    private readonly Option<bool> slurm = new("--slurm") { Description = "Write a script for Slurm: array, restarts, joining job." };
    private readonly Option<bool> kubernetes = new("--kubernetes") { Description = "Write an Indexed Job of Kubernetes." };
    private readonly Option<int> shards = CommandOptions.Number("--shards", "Processes that make the data set together.", 1, 10_000, 4);
    private readonly Option<bool> data = new("--data") { Description = "Make the data set alone, as 'distill generate' does." };
    private readonly Option<string> output =
        new("--output") { HelpName = "FILE", Description = "Where to write it. Default: named after the recipe, in this folder." };

    private readonly Option<string[]> set = RunArguments.SetOption();
    private readonly Option<int> hours = CommandOptions.Number("--hours", "Longest time of a process.", 1, 8760, 24);
    private readonly Option<int> restarts = CommandOptions.Number("--restarts", "How often a shard is begun again.", 0, 100, 3);
    private readonly Option<int> cpus = CommandOptions.Number("--cpus", "Processor cores of each process.", 1, 1024, 8);
    private readonly Option<int> memory = CommandOptions.Number("--memory", "Memory of each process in GiB.", 1, 65_536, 32);
    private readonly Option<int> gpus = CommandOptions.Number("--gpus", "Accelerators of each process.", 0, 64, 0);
    private readonly Option<string> image =
        new("--image") { HelpName = "IMAGE", Description = $"Container image with this program (Kubernetes). Default {DefaultImage}." };

    private readonly Option<string> claim = new("--claim")
        { HelpName = "NAME", Description = $"PersistentVolumeClaim that all processes share (Kubernetes). Default {DefaultClaim}." };

    private readonly Option<int?> claimSize =
        CommandOptions.OptionalNumber("--claim-size", "Make the claim, with so many GiB, instead of using one.", 1, 1_000_000);

    private readonly Option<string> runs = RunArguments.RunsOption();

    public LaunchCommand()
        : base("launch", "Writes the job file with which a cluster runs a recipe in shards, for Slurm or Kubernetes. "
            + "Submits nothing.")
    {
        Arguments.Add(recipe);
        foreach (var option in (Option[])[slurm, kubernetes, shards, data, output, set, hours, restarts, cpus, memory, gpus, image, claim,
            claimSize, runs])
            Options.Add(option);
    }

    public override IReadOnlyList<string> Examples =>
    [
        "distill launch recipes/quickstart.yaml --slurm --shards 8",
        "distill launch recipes/quickstart.yaml --kubernetes --shards 8 --image registry.example.com/distill:1 --claim-size 200",
    ];

    public override int Execute(ParseResult parsed, CommandContext context)
    {
        bool isSlurm = parsed.GetValue(slurm);
        if (isSlurm == parsed.GetValue(kubernetes)) throw new UsageException("For which scheduler?", "Give --slurm or --kubernetes.");
        string file = parsed.GetRequiredValue(recipe);
        var job = JobOf(parsed, isSlurm, file, ShardedJob.NameOf(NameOf(parsed, isSlurm, context)));
        string text = isSlurm ? SlurmScript.Of(job)
            : new KubernetesManifest(
                job, parsed.GetValue(image) ?? DefaultImage, parsed.GetValue(claim) ?? DefaultClaim, parsed.GetValue(claimSize)).Write();
        string path = Path.GetFullPath(parsed.GetValue(output) ?? (isSlurm ? SlurmScript.FileName(job) : KubernetesManifest.FileName(job)));
        ReplacedFile.Write(path, Encoding.UTF8.GetBytes(text));
        string submit = isSlurm ? $"bash {ShellWord.Quoted(path)}" : $"kubectl apply -f {ShellWord.Quoted(path)}";
        if (context.IsJson) context.Results.Json(new { file = path, submit, job.Name, job.Shards });
        context.Results.Line($"wrote    {path}");
        context.Results.Line($"submit   {submit}");
        if (!isSlurm) context.Results.Line($"then     {KubernetesManifest.Wake(job)}");
        if (!isSlurm)
            context.Results.Line($"The recipe and what it names must lie on the volume, which is mounted at {KubernetesManifest.Mount}.");
        return ExitCode.Done;
    }

    private ShardedJob JobOf(ParseResult parsed, bool isSlurm, string file, string name) => new()
    {
        Name = name,
        Program = isSlurm ? ProgramHere() : [], // the image's entry point
        Recipe = isSlurm ? Path.GetFullPath(file) : OnVolume(file),
        RunsFolder = isSlurm ? Path.GetFullPath(parsed.GetRequiredValue(runs)) : OnVolume(parsed.GetRequiredValue(runs)),
        Shards = parsed.GetValue(shards),
        IsDataSet = parsed.GetValue(data),
        More = [.. (parsed.GetValue(set) ?? []).SelectMany(value => (string[])["--set", value])],
        Hours = parsed.GetValue(hours),
        Restarts = parsed.GetValue(restarts),
        Cpus = parsed.GetValue(cpus),
        MemoryGigabytes = parsed.GetValue(memory),
        Gpus = parsed.GetValue(gpus),
    };

    // A recipe that cannot run is refused here rather than by every shard, and what it names on the Hub is pulled, which nodes often
    // cannot. What lies on a volume cannot be looked at from here.
    private string NameOf(ParseResult parsed, bool isSlurm, CommandContext context)
    {
        string file = parsed.GetRequiredValue(recipe);
        if (!isSlurm)
            return RecipeFile.Finished(file)?.Name ?? throw new UsageException($"'{file}' pretrains a model: that is one process's work.");
        using var hub = new HubAccess(context);
        return RunArguments.Load<DistillationRecipe>(file, parsed.GetValue(set), hub, makesStudent: !parsed.GetValue(data)).Name;
    }

    // What is relative lies below the mount, as it does below the folder that is copied there.
    private static string OnVolume(string path)
    {
        if (Path.IsPathRooted(path)) return path;
        string below = Path.GetRelativePath(".", path).Replace('\\', '/');
        return below.StartsWith("..", StringComparison.Ordinal)
            ? throw new UsageException($"'{path}' lies outside this folder, and only what is in it can lie on the volume.",
                $"Give a path below this folder, or one that begins with {KubernetesManifest.Mount}.")
            : $"{KubernetesManifest.Mount}/{below}";
    }

    // As this process was started: the host alone would be given no program.
    private static string[] ProgramHere()
    {
        string host = Environment.ProcessPath ?? "distill", program = Path.Combine(AppContext.BaseDirectory, "distill.dll");
        return Path.GetFileNameWithoutExtension(host) == "dotnet" && File.Exists(program) ? [host, program] : [host];
    }
}
