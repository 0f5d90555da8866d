using System.CommandLine;
using Distill.Cli.Models;
using Distill.Cli.Output;
using Distill.Hub;
using Distill.Pipeline.Graph;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes;
using Distill.Pipeline.Runs;
using Distill.Pipeline.Store.Objects;

namespace Distill.Cli.Parsing;

/// <summary>The words that <c>run</c>, <c>plan</c> and <c>generate</c> share. Adds itself to the command it is made for.</summary>
internal sealed class RunArguments
{
    private readonly Argument<string> recipe = RecipeArgument();
    private readonly Option<string> name =
        new("--name") { HelpName = "N", Description = $"Name of the run; {RunName.Rule}. Default: the recipe's name." };

    private readonly Option<string> from = Stage("--from", "Do this stage and all after it again.");
    private readonly Option<string> only = Stage("--only", "Do only this stage; what it needs must be finished.");
    private readonly Option<string> force = Stage("--force", "Do this stage again even if nothing it depends on changed.");
    private readonly Option<string[]> set = SetOption();
    private readonly Option<string?> device = DeviceOption.OfRecipe();
    private readonly Option<bool> noCache =
        new("--no-cache") { Description = "Take nothing from other runs; the run's own finished stages still count." };

    private readonly Option<string?> store = StoreOption();

    private readonly Option<string> runs = RunsOption();

    /// <param name="choosesStages">Whether --from, --only and --force make sense.</param>
    public RunArguments(Command command, bool choosesStages = true)
    {
        command.Arguments.Add(recipe);
        Option[] options = choosesStages
            ? [name, from, only, force, set, device, noCache, runs, store] : [name, set, device, noCache, runs, store];
        foreach (var option in options) command.Options.Add(option);
    }

    public static Argument<string> RecipeArgument() => new("RECIPE") { Description = "Recipe file (YAML), e.g. recipes/quickstart.yaml." };

    /// <exception cref="InvalidRecipeException">The recipe, or a --set, is wrong, or it is of another kind.</exception>
    /// <exception cref="UsageException">The file cannot be read.</exception>
    /// <param name="models">Where <c>hf://</c> comes from.</param>
    public static T Load<T>(string file, string[]? overrides, IModelSource models, bool makesStudent = true)
        where T : Recipe
    {
        if (Directory.Exists(file)) throw new UsageException($"The recipe '{file}' is a folder.", "Give the path of a recipe's file.");
        try
        {
            return RecipeFile.Load<T>(file, overrides, makesStudent, models);
        }
        catch (Exception fault) when (fault is (IOException and not HubException) or UnauthorizedAccessException)
        {
            throw new UsageException($"The recipe '{file}' cannot be read: {fault.Message}", "Give the path of a recipe that can be read.");
        }
    }

    public static Option<string[]> SetOption() => new("--set")
    {
        HelpName = "KEY=VALUE",
        Description = "Change one value of the recipe, e.g. --set sft.epochs=2 or --set problems.families.0.level=3; may be repeated.",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    public static Option<string> ShardOption() => new("--shard")
    {
        HelpName = "i/n",
        Description = "Do units i, i+n, i+2n, … of divisible stages and end; whoever finds all of them done joins them and goes on. "
            + "auto: as a Slurm array or a Kubernetes Indexed Job says.",
    };

    /// <exception cref="UsageException">It names no shard.</exception>
    public static ShardNumber? ShardOf(string? text)
    {
        if (text is null) return null;
        return ShardNumber.Parse(text, Environment.GetEnvironmentVariable, out string fault)
            ?? throw new UsageException($"--shard: {fault}.", $"Give {ShardNumber.Meaning}.");
    }

    public static Option<string?> StoreOption() => new("--store")
    {
        HelpName = "s3://BUCKET/PREFIX",
        Description = "Share artefacts and units with machines that do not see this folder of runs (docs/store.md). "
            + $"Default: {SharedStoreAddress.Variable}, if set. Credentials as AWS's tools read them.",
    };

    /// <summary>What the option, or the environment, shares; null where neither does.</summary>
    /// <exception cref="RunRefusedException">It is no address of a shared store.</exception>
    public static SharedPlace? SharedOf(string? option) =>
        (option ?? Environment.GetEnvironmentVariable(SharedStoreAddress.Variable)) is { Length: > 0 } address
            ? SharedStoreAddress.Parse(address).ToPlace() : null;

    /// <summary>Refuses what can be no folder; whether it can be written shows when it has to be.</summary>
    public static Option<string> RunsOption()
    {
        var option = new Option<string>("--runs")
            { HelpName = "DIR", Description = "Folder that holds the runs. Default runs.", DefaultValueFactory = _ => "runs" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && Fault(token.Value) is { } fault)
                result.AddError($"--runs {ShellWord.Quoted(token.Value)} can be no folder: {fault}.");
        });
        return option;
    }

    /// <param name="changes">What the command changes of the recipe beyond what it is told to.</param>
    /// <inheritdoc cref="Load"/>
    public DistillationRecipe RecipeOf(ParseResult parsed, CommandContext context, bool makesStudent = true, string[]? changes = null)
    {
        using var hub = new HubAccess(context);
        return Load<DistillationRecipe>(
            parsed.GetRequiredValue(recipe), [.. Changes(parsed, set, device), .. changes ?? []], hub, makesStudent);
    }

    /// <summary>What the command line changes of a recipe; <c>--set</c> has the last word.</summary>
    public static string[] Changes(ParseResult parsed, Option<string[]> set, Option<string?> device) =>
        [.. parsed.GetValue(device) is { } word ? [$"device={word}"] : Array.Empty<string>(), .. parsed.GetValue(set) ?? []];

    /// <exception cref="UsageException">Two of the options exclude each other, or the name cannot be one.</exception>
    public RunOptions OptionsOf(ParseResult parsed)
    {
        var options = new RunOptions
        {
            RunsFolder = parsed.GetRequiredValue(runs),
            Name = parsed.GetValue(name),
            From = parsed.GetValue(from),
            Only = parsed.GetValue(only),
            Force = parsed.GetValue(force),
            UseOtherRuns = !parsed.GetValue(noCache),
            Shared = SharedOf(parsed.GetValue(store)),
        };
        if (options.Name is { } chosen && !RunName.IsValid(chosen))
            throw new UsageException($"--name '{chosen}' cannot be a run's name.", $"{RunName.Rule}.");
        (string? Stage, Option Option)[] all = [(options.From, from), (options.Only, only), (options.Force, force)];
        string[] choices = [.. all.Where(pair => pair.Stage is not null).Select(pair => pair.Option.Name)];
        return choices.Length <= 1 ? options
            : throw new UsageException($"{string.Join(" and ", choices)} exclude each other.", "Keep one of them.");
    }

    // A folder is made below folders; a file anywhere above it is in the way.
    private static string? Fault(string folder)
    {
        if (folder.Length == 0 || folder.Contains('\0')) return "it is no path";
        for (string? at = Path.GetFullPath(folder); at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(at)) return $"'{at}' is a file";
            if (Directory.Exists(at)) return null;
        }

        return null;
    }

    // Which stages there are is the recipe's matter; the run refuses others before any work.
    private static Option<string> Stage(string name, string description) =>
        new(name)
        {
            HelpName = "STAGE",
            Description = $"{description} 'distill plan RECIPE' lists the stages; "
                + "of a name like evaluation/sft, the part before the slash.",
        };
}

/// <summary>A run as people name it: by its name, or by its folder, which the shell completes.</summary>
internal static class RunReference
{
    public static Argument<string> Argument() =>
        new("RUN") { Description = "Name of the run, or its folder; 'distill runs ls' lists them." };

    /// <returns>The folder that holds the runs, and the run's name.</returns>
    public static (string RunsFolder, string Name) Read(string word, string runsFolder)
    {
        if (!word.Contains('/') && !word.Contains(Path.DirectorySeparatorChar)) return (runsFolder, word);
        string path = Path.TrimEndingDirectorySeparator(word);
        return (Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".", Path.GetFileName(path));
    }
}
