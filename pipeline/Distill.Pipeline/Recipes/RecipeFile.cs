using System.Text;
using Distill.Hub;
using Distill.Pipeline.Models;
using Distill.Pipeline.Recipes.Binding;
using Distill.Pipeline.Recipes.Sections;

namespace Distill.Pipeline.Recipes;

/// <summary>Reads recipes: YAML text and <c>--set</c> overrides → one valid, complete <see cref="Recipe"/>, or every problem at
/// once.</summary>
public static class RecipeFile
{
    internal const string KindKey = "kind", ExtendsKey = "extends", Distill = "distill", Pretrain = "pretrain";

    private const string StudentPath = "student.base";

    private const int MostBases = 8, MostBytes = 1 << 20;

    private static readonly string[] Kinds = [Distill, Pretrain];

    /// <summary>Keys of a recipe that are not options: what it is, and what it builds on.</summary>
    internal static IReadOnlyList<string> OwnKeys { get; } = [KindKey, ExtendsKey];

    /// <exception cref="InvalidRecipeException">The file cannot be read, is not YAML, or describes something impossible.</exception>
    public static Recipe Load(string file, IEnumerable<string>? overrides = null) => Load(file, overrides, makesStudent: true);

    /// <param name="makesStudent">False where the recipe is only asked for its data set, which needs no student.</param>
    /// <param name="models">Where <c>hf://</c> comes from; null for the cache alone.</param>
    /// <param name="opening">As <see cref="RecipeSource.Opening"/> has it.</param>
    /// <exception cref="HubException">A model cannot be had from there.</exception>
    internal static Recipe Load(
        string file, IEnumerable<string>? overrides, bool makesStudent, IModelSource? models = null, Action<string>? opening = null) =>
        Parse(ReadText(file, file), file, Path.GetDirectoryName(Path.GetFullPath(file))!, overrides, makesStudent, models, opening);

    /// <summary><see cref="Load(string, IEnumerable{string})"/> for a command that runs only one kind.</summary>
    /// <exception cref="InvalidRecipeException">Also when the recipe is of another kind.</exception>
    public static T Load<T>(string file, IEnumerable<string>? overrides = null)
        where T : Recipe => Load<T>(file, overrides, makesStudent: true);

    /// <inheritdoc cref="Load(string, IEnumerable{string}, bool, IModelSource, Action{string})"/>
    internal static T Load<T>(string file, IEnumerable<string>? overrides, bool makesStudent, IModelSource? models = null)
        where T : Recipe
    {
        var recipe = Load(file, overrides, makesStudent, models);
        if (recipe is T wanted) return wanted;
        string command = recipe is PretrainRecipe ? "distill pretrain" : "distill run";
        throw new InvalidRecipeException(file, [new(KindKey, "", "", "another kind of recipe", $"run it with '{command}'")]);
    }

    /// <param name="text">YAML.</param>
    /// <param name="file">What messages call it.</param>
    /// <param name="folder">What relative paths in the recipe are relative to.</param>
    /// <param name="overrides">Of the form <c>path=value</c>; later ones win.</param>
    /// <exception cref="InvalidRecipeException">The text is not YAML, or describes something impossible.</exception>
    public static Recipe Parse(string text, string file, string folder, IEnumerable<string>? overrides = null) =>
        Parse(text, file, folder, overrides, makesStudent: true, null);

    internal static Recipe Parse(
        string text, string file, string folder, IEnumerable<string>? overrides, bool makesStudent, IModelSource? models,
        Action<string>? opening = null)
    {
        var problems = new List<RecipeProblem>();
        var source = new RecipeSource("", folder, RecipeWriter.FolderOf(text)) { Opening = opening };
        var tree = Extended(RecipeYaml.Parse(text, file, source), file, [Path.GetFullPath(file, folder)]);
        tree = RecipeOverrides.Apply(tree, overrides ?? [], problems);
        bool isPretraining = KindOf(tree, problems) == Pretrain;
        makesStudent |= IsScored(tree);
        var hub = new HubPaths();
        if (!makesStudent) hub.Leave(StudentPath);
        var recipe = Bind();
        if (problems.Count == 0 && hub.IsWanted)
        {
            if (models is null) hub.PullCached(problems);
            else hub.Pull(models);
            if (problems.Count == 0) recipe = Bind() with { Pulled = new PulledModels(hub.Pulled) };
        }

        if (problems.Count == 0 && recipe is DistillationRecipe distillation) return ContinuationSection.Resolve(distillation);
        return problems.Count == 0 ? recipe : throw new InvalidRecipeException(file, RecipeProblem.Sorted(problems));

        Recipe Bind()
        {
            Recipe bound = isPretraining ? new PretrainRecipe() : new DistillationRecipe();
            var options = tree is RecipeMapping mapping ? mapping.Without(KindKey).Without(ExtendsKey) : tree;
            new SectionBinder(bound, problems, hub).Bind(options);
            if (!makesStudent) problems.RemoveAll(problem => problem is { Path: StudentPath, Value: "" or "\"\"" });
            return bound;
        }
    }

    /// <summary>
    /// The recipe of a finished run, for what it says and not to be run: models that lie elsewhere by now are no fault. Null for one that
    /// is no distillation.
    /// </summary>
    /// <exception cref="InvalidRecipeException">The file cannot be read or is not YAML.</exception>
    internal static DistillationRecipe? Finished(string file)
    {
        var source = new RecipeSource("", Path.GetDirectoryName(Path.GetFullPath(file))!);
        var tree = RecipeYaml.Parse(ReadText(file, file), file, source);
        var problems = new List<RecipeProblem>();
        if (KindOf(tree, problems) != Distill || tree is not RecipeMapping mapping) return null;
        var recipe = new DistillationRecipe();
        new SectionBinder(recipe, problems, new HubPaths()).Bind(mapping.Without(KindKey).Without(ExtendsKey));
        return recipe;
    }

    /// <summary>Whether the data set itself needs the student, which reads the traces once.</summary>
    private static bool IsScored(RecipeNode tree) =>
        (tree as RecipeMapping)?.Find("curation") is RecipeMapping curation && curation.Find("learnability") is { IsNothing: false };

    private static string KindOf(RecipeNode tree, List<RecipeProblem> problems)
    {
        switch ((tree as RecipeMapping)?.Find(KindKey))
        {
            case null or { IsNothing: true }:
                return Distill;
            case RecipeScalar { Text: var text } when Kinds.Contains(text):
                return text;
            case var other:
                string remedy = other is RecipeScalar word ? Suggestion.Remedy(word.Text, Kinds)
                    : $"write one of {string.Join(", ", Kinds)}";
                problems.Add(new(KindKey, other.Place, other.Shown, "not known", remedy));
                return Distill;
        }
    }

    /// <param name="chain">Files that lead here, this one last.</param>
    private static RecipeNode Extended(RecipeNode tree, string file, IReadOnlyList<string> chain)
    {
        if (tree is not RecipeMapping mapping || mapping.Find(ExtendsKey) is not { IsNothing: false } named) return tree;
        InvalidRecipeException Refused(string fault, string remedy) =>
            new(file, [new(ExtendsKey, named.Place, named.Shown, fault, remedy)]);
        if (named is not RecipeScalar { Text: var written }) throw Refused("not a single value", "write the path of a recipe");
        string path = Path.GetFullPath(written, named.Source.Folder);
        if (chain.Contains(path)) throw Refused("the recipes extend one another in a circle", "take one of the extends out");
        if (chain.Count > MostBases) throw Refused($"more than {MostBases} recipes, each on the next", "write some of them as one");
        named.Source.Opening?.Invoke(path);
        if (!File.Exists(path)) throw Refused($"there is no file {path}", "give the path of a recipe, relative to this one");
        string text = ReadText(path, file), name = Path.GetRelativePath(Path.GetDirectoryName(chain[0])!, path).Replace('\\', '/');
        var parsed = RecipeYaml.Parse(text, file, named.Source with
        {
            Prefix = name + " ", Folder = Path.GetDirectoryName(path)!, Former = RecipeWriter.FolderOf(text),
        });
        return Extended(parsed, file, [.. chain, path]) is RecipeMapping earlier ? earlier.Under(mapping)
            : throw Refused("not a recipe", "give the path of a recipe");
    }

    /// <param name="asked">The recipe that was asked for: the file itself, or one that extends it.</param>
    private static string ReadText(string file, string asked)
    {
        InvalidRecipeException Refused(string fault, string remedy) => new(asked, [new("", file == asked ? "" : file, "", fault, remedy)]);
        if (Directory.Exists(file)) throw Refused("a folder, not a file", "give the path of a recipe, e.g. recipes/quickstart.yaml");
        if (!File.Exists(file)) throw Refused("there is no such file", "give the path of a recipe, e.g. recipes/quickstart.yaml");
        byte[] bytes = new byte[MostBytes + 1];
        int length;
        try
        {
            using var stream = File.OpenRead(file);
            length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        }
        catch (UnauthorizedAccessException)
        {
            throw Refused("it may not be read", "allow reading it, or give another file");
        }
        catch (IOException)
        {
            throw Refused("it cannot be read", "look whether another program holds it and the disk is well");
        }

        if (length > MostBytes) throw Refused("larger than 1 MiB", "give the path of a recipe");
        return Decode(bytes.AsSpan(0, length), Refused);
    }

    private static string Decode(ReadOnlySpan<byte> bytes, Func<string, string, InvalidRecipeException> refused)
    {
        if (bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] || bytes.Contains((byte)0))
            throw refused(bytes is [0xFF or 0xFE, ..] || bytes.Length % 2 == 0 ? "UTF-16 text, or no text at all" : "no text",
                "save it as UTF-8");
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes is [0xEF, 0xBB, 0xBF, ..] ? bytes[3..] : bytes);
        }
        catch (DecoderFallbackException)
        {
            throw refused("not UTF-8 text", "save it as UTF-8");
        }
    }
}
