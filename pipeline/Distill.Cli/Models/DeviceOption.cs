using System.CommandLine;
using Distill.Generation;
using Distill.Pipeline.Diagnosis;
using Distill.Pipeline.Models;

namespace Distill.Cli.Models;

/// <summary><c>--device</c> of a command that opens a model.</summary>
internal static class DeviceOption
{
    private const string Name = "--device";

    /// <summary>Of a command that runs a recipe: the recipe's <c>device</c>.</summary>
    public static Option<string?> OfRecipe() => Words<string?>("Where models are trained and run; the same as --set device=D.");

    /// <summary>Of a command that opens a model.</summary>
    public static Option<string> OfModel()
    {
        var option = Words<string>("Where the model runs; auto takes a CUDA card where everything for it is there and the model's graph is "
            + "in fp16 or bf16. Default auto.");
        option.DefaultValueFactory = _ => DeviceChoice.Auto;
        return option;
    }

    /// <summary>The device for a model that lies in a folder; what <c>auto</c> took is said where there is a driver.</summary>
    /// <exception cref="DeviceUnavailableException">A card was asked for and cannot be had.</exception>
    /// <exception cref="InvalidDataException">The folder is no model; names the file and the reason.</exception>
    public static ComputeDevice Choose(string word, string folder, ModelEngine engine, CommandContext context)
    {
        var choice = DeviceChoice.Of(word, DeviceUse.Running, () => CudaProbe.Machine, card => GraphFault.OnCard(card, folder, engine));
        if (word == DeviceChoice.Auto && CudaProbe.Machine.Driver.IsInstalled)
            context.Progress.Line($"{ModelFolders.NameOf(folder)} runs on {choice.Device} ({choice.Reason}).");
        return choice.Device;
    }

    private static Option<T> Words<T>(string description)
    {
        var option = new Option<T>(Name) { HelpName = "auto|cpu|cuda|cuda:N", Description = description };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !DeviceChoice.Words.Contains(token.Value))
                result.AddError($"{Name} '{token.Value}' is no device; write auto, cpu, cuda or cuda:N");
        });
        return option;
    }
}
