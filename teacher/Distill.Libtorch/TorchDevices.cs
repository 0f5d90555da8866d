using Distill.Generation;
using TorchSharp;

namespace Distill.Libtorch;

/// <summary>Torch's devices by our names, and which of them torch can use. Loads libtorch; safe from any thread.</summary>
internal static class TorchDevices
{
    /// <summary>Whether libtorch was built for CUDA and finds a card. The first call may take seconds.</summary>
    /// <exception cref="DllNotFoundException">libtorch cannot be loaded.</exception>
    public static bool SeesCuda
    {
        get
        {
            LibtorchLoading.Require();
            return torch.cuda_is_available();
        }
    }

    /// <summary>Cards that torch finds; 0 without CUDA.</summary>
    /// <exception cref="DllNotFoundException">libtorch cannot be loaded.</exception>
    public static int Cards => SeesCuda ? torch.cuda.device_count() : 0;

    /// <summary>Whether libtorch brings the backend for CUDA at all, be there a card or not.</summary>
    public static bool AreBuiltForCuda =>
        CudaLibraries.LibtorchFolder() is { } folder ? File.Exists(Path.Combine(folder, LibtorchFolder.Cuda))
            : LibtorchLoading.OwnFile(LibtorchFolder.Cuda) is not null;

    /// <summary>The device for tensors.</summary>
    /// <exception cref="DllNotFoundException">libtorch cannot be loaded.</exception>
    /// <exception cref="DeviceUnavailableException">It is a card that torch does not find.</exception>
    public static torch.Device ToTorch(this ComputeDevice device)
    {
        LibtorchLoading.Require();
        if (!device.IsCuda) return torch.CPU;
        int cards = Cards;
        return device.Card < cards ? new torch.Device(DeviceType.CUDA, device.Card)
            : throw new DeviceUnavailableException(
                $"{device} was asked for, and torch finds {(cards == 0 ? "no card" : $"{cards} cards")}.",
                "'distill doctor' names what is missing; or take the device cpu.");
    }
}
