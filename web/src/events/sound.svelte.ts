// Whether clips are heard: not until somebody asks for it, and then until the page is closed.

class Sound {
  on = $state(false);
}

export const sound = new Sound();
